import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES } from '../../src/cli/process/roles';
import { SETTING_KEYS } from '../../src/config';
import { envName } from '../../src/config/names';

const ROOT = join(__dirname, '../..');
const dockerfile = read('Dockerfile');
const compose = read('docker-compose.yml');
const manifest = JSON.parse(read('package.json')) as {
  engines: { node: string };
  dependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, unknown>;
};

/** Settings that a container can't have otherwise: its ports are fixed, and it embeds no server. */
const FIXED = ['HTTP_PORT', 'TCP_PORT', 'TEMPORAL_PORT', 'UI_PORT'].map((name) => `KEEPAPART_${name}`);

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The first group of every match. */
function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** What is written under a key: the lines after it that are indented more. Enough of YAML for a file of ours. */
function block(key: string): string {
  const body = new RegExp(`^( *)${key}:(?: &\\w+)?\\n((?:(?:\\1 .*)?\\n)*)`, 'm').exec(compose)?.[2];
  if (body === undefined) throw new Error(`docker-compose.yml has no ${key}`);
  return body;
}

describe('settings in the container files', () => {
  const named = all(`${dockerfile}\n${compose}`, /\b(KEEPAPART_[A-Z0-9_]+)/g);

  test('are settings that keepapart knows, as it refuses to start with any other', () => {
    expect(SETTING_KEYS.map(envName)).toEqual(expect.arrayContaining(named));
  });

  test('are all there: each can be set, or is fixed by the files, or has no meaning in a container', () => {
    expect([...new Set([...named, ...FIXED])].sort()).toEqual(SETTING_KEYS.map(envName).sort());
  });
});

test('The roles that are started exist.', () => {
  const started = all(compose, /^ {4}command: \[(api|worker|serve|[a-z]+)\]$/gm);
  expect(started).toEqual(['api', 'worker']);
  expect(Object.keys(ROLES)).toEqual(expect.arrayContaining(started));
  expect(dockerfile).toContain('ENTRYPOINT ["node", "dist/src/cli/main.js"]');
});

test('The image has a version of Node that package.json allows.', () => {
  const [, major, minor] = /^ARG NODE_IMAGE=node:(\d+)\.(\d+)\.\d+-\w+-slim$/m.exec(dockerfile) ?? [];
  const [, least, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(manifest.engines.node) ?? [];
  expect([major, minor, least, leastMinor]).not.toContain(undefined);
  expect(Number(major) * 1000 + Number(minor)).toBeGreaterThanOrEqual(
    Number(least) * 1000 + Number(leastMinor),
  );
});

test('Every package that the code imports stays in the image, which has no development dependencies.', () => {
  const imported = ['src', 'workflows', 'activities'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      // What a browser gets was bundled when the image was built.
      .filter((name) => name.endsWith('.ts') && !(folder === 'src' && name.startsWith('ui/')))
      .flatMap((name) =>
        all(
          read(join(folder, name)),
          /(?:^(?:import|export|\}) .*?from |\bimport\(|\brequire\()'([^.'][^']*)'/gm,
        ),
      ),
  );
  const packages = imported
    .filter((name) => !name.startsWith('node:'))
    .map((name) => (/^(@[^/]+\/)?[^/]+/.exec(name) ?? [''])[0]);
  // Whoever needs an optional one installs it, as DEPLOYMENT.md says.
  const optional = Object.keys(manifest.peerDependenciesMeta);
  expect(optional.filter((name) => !name.startsWith('@opentelemetry/'))).toEqual(['@aws-sdk/client-s3']);
  const known = [...Object.keys(manifest.dependencies), ...optional];
  expect(known).toEqual(expect.arrayContaining([...new Set(packages)]));
});

test('What the Dockerfile copies is let through by .dockerignore, which lets through nothing else.', () => {
  const copied = all(dockerfile, /^COPY (?!--from)(.+) \S+$/gm).flatMap((paths) => paths.split(' '));
  const allowed = all(read('.dockerignore'), /^!(.+)$/gm);
  expect(read('.dockerignore')).toMatch(/^\*$/m);
  expect(copied).toContain('scripts');
  expect(
    [...new Set(copied.map((path) => (path === 'scripts' ? 'scripts/build.mjs' : path)))].sort(),
  ).toEqual(allowed.sort());
});

test('Nothing is published beyond this machine.', () => {
  const published = all(compose, /^ +ports: (.+)$/gm);
  expect(published).toHaveLength(2);
  for (const ports of published) expect(ports).toMatch(/^\['127\.0\.0\.1:\d+:\d+'\]$/);
});

test('There is no secret and no default for one: without them nothing starts.', () => {
  const secrets = all(compose, /^ +\w*(?:PASSWORD|PWD|API_KEYS): (.*)$/gm);
  expect(secrets).toHaveLength(4);
  for (const secret of secrets)
    expect(secret).toMatch(/^(\*postgres-password|\$\{KEEPAPART_API_KEYS:\?.+\})$/);
  expect(compose).toMatch(/^x-postgres-password: &postgres-password \$\{POSTGRES_PASSWORD:\?.+\}$/m);
});

test('Images are pinned to a version.', () => {
  const images = all(compose, /^ +image: (.+)$/gm).filter((image) => image !== 'keepapart:local');
  expect(images).toHaveLength(5);
  for (const image of images) expect(image).toMatch(/^[\w/-]+:\d+\.\d+(\.\d+)?(-\w+)?$/);
});

test('Every service that stays has a health check: those of others in the file, ours in the image, by the probe port.', () => {
  for (const service of ['postgres', 'temporal', 'temporal-ui'])
    expect(block(service)).toContain('healthcheck:');
  expect(dockerfile).toMatch(/^HEALTHCHECK .* CMD \["node", "deploy\/health\.js"\]$/m);
  expect(dockerfile).toMatch(/KEEPAPART_METRICS_PORT=9464\b/);
  expect(compose).toContain('KEEPAPART_METRICS_PORT: ${KEEPAPART_METRICS_PORT:-9464}');
});

test('Our services have a limit of memory, and every service one of processes.', () => {
  for (const service of ['api', 'worker']) expect(block(service)).toMatch(/^ +mem_limit: /m);
  expect(block('x-common')).toMatch(/^ +pids_limit: \d+$/m);
});

test('A worker is not killed before it has given up on its activities by itself (G4 holds either way).', () => {
  const [forceSeconds] = all(read('src/temporal/worker/worker.ts'), /^const FORCE_MS = (\d+) \* SECOND;$/gm);
  const [graceSeconds] = all(block('x-keepapart'), /^ +stop_grace_period: (\d+)s$/gm);
  expect(Number(graceSeconds)).toBeGreaterThan(Number(forceSeconds));
});

test('Workers share the folders of the batches, and what is written is in a volume.', () => {
  expect(dockerfile).toMatch(/KEEPAPART_DATA_DIR=\/data\b/);
  expect(dockerfile).toMatch(/KEEPAPART_OUT_DIR=\/out\b/);
  expect(block('worker')).toContain("volumes: ['data:/data', 'out:/out']");
  expect(block('postgres')).toContain("volumes: ['postgres:/var/lib/postgresql/data']");
});
