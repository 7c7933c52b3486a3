import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installPacked } from '../helpers/packed-package';

const ROOT = path.resolve(__dirname, '../..');

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'keepapart-package-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a module of somebody who has installed the package, and gives what it prints. */
function runModule(code: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    // A package may import itself by its name: what its `exports` give is what others get.
    cwd: path.resolve(__dirname, '../..'),
    encoding: 'utf8',
  });
}

test('keepapart/client can be imported by its names, and nothing but the client comes with it.', () => {
  const printed = runModule(`
    import * as client from 'keepapart/client';
    import { Module } from 'node:module';
    console.log(JSON.stringify([Object.keys(client), Object.keys(Module._cache)]));
  `);
  const [names, files] = JSON.parse(printed) as [string[], string[]];
  expect(names).toEqual(
    expect.arrayContaining(['KeepapartClient', 'KeepapartApiError', 'KeepapartUnreachableError']),
  );
  const folders = files.map((file) => /dist\/src\/(client|contracts|domain)\//.exec(file)?.[1]);
  expect(new Set(folders)).toEqual(new Set(['client', 'contracts', 'domain']));
});

test('keepapart itself is the partitioner, and nothing but the domain comes with it.', () => {
  const printed = runModule(`
    import * as keepapart from 'keepapart';
    import { Module } from 'node:module';
    const { parseConflictRules, partition, explainPartition, conflicts } = keepapart;
    const { rules, problems } = parseConflictRules([{ distinct: '/sku' }]);
    const rows = ['a', 'a', 'b'].map((sku, row) => ({ value: { sku }, row }));
    console.log(JSON.stringify({
      names: Object.keys(keepapart),
      files: Object.keys(Module._cache),
      problems,
      apart: conflicts(rows[0].value, rows[1].value, rules),
      cut: partition(rows, { rules, maxBatchSize: 3 }),
      why: explainPartition(rows, { rules, maxBatchSize: 3 }).batches.map(({ why }) => why),
    }));
  `);
  const { names, files, ...used } = JSON.parse(printed) as { names: string[]; files: string[] };
  expect(names).toEqual(expect.arrayContaining(['conflictingRules', 'partition', 'WHY_NO_LARGER']));
  expect(files.filter((file) => !/dist\/src\/domain\//.test(file))).toEqual([]);
  const row = (sku: string, index: number) => ({ value: { sku }, row: index });
  expect(used).toEqual({
    problems: [],
    apart: true,
    cut: { batches: [[row('a', 0), row('b', 2)], [row('a', 1)]], lowerBound: 2, isProved: true },
    why: ['rules', 'nothing_left'],
  });
});

test('Publint and arethetypeswrong find nothing wrong with the two packages, and they are as small as they were.', () => {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'check:package'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [, files, mebibytes] =
    /^keepapart-0\S+: (\d+) files, .* packed, ([\d.]+) MiB unpacked; nothing wrong$/m.exec(stdout) ?? [];
  // 1,472 files and 11.5 MiB before maps and declarations that nobody can reach were left out.
  expect(Number(files)).toBeLessThan(750);
  expect(Number(mebibytes)).toBeLessThan(9);
});

test('The package has no source maps, no tests, and nothing of the machine on which it was built.', () => {
  const installed = installPacked(folder);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  expect(files.filter((name) => /\.map$|\.test\.|(^|\/)test\//.test(name))).toEqual([]);
  const bundle = readFileSync(path.join(installed, 'dist/workflow-bundle.js'), 'utf8');
  const map = Buffer.from(bundle.slice(bundle.lastIndexOf('base64,') + 7), 'base64').toString();
  expect(map).toContain('"workflows/batcher/batcher.ts"');
  expect(map.includes(ROOT)).toBe(false);
});

const EMBEDDING = `
const names = [typeof createKeepapartRouter, typeof createKeepapartWorker, RIGHTS.length, existsSync(WORKFLOW_BUNDLE_PATH)];
createKeepapartRouter({ client: {} }).catch(({ code }) => console.log(JSON.stringify([...names, code])));
`;

test.each([
  [
    'app.mjs',
    `import { existsSync } from 'node:fs';
     import { createKeepapartRouter, RIGHTS } from 'keepapart/express';
     import { createKeepapartWorker, WORKFLOW_BUNDLE_PATH } from 'keepapart/worker';`,
  ],
  [
    'app.cjs',
    `const { existsSync } = require('node:fs');
     const { createKeepapartRouter, RIGHTS } = require('keepapart/express');
     const { createKeepapartWorker, WORKFLOW_BUNDLE_PATH } = require('keepapart/worker');`,
  ],
])('%s of somebody who installed the package has keepapart/express and keepapart/worker', (name, imports) => {
  installPacked(folder, { dependencies: true });
  writeFileSync(path.join(folder, name), imports + EMBEDDING);
  const printed = execFileSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual(['function', 'function', 3, true, 'invalid-config']);
});

test.each(['mts', 'cts'])('the documented programs for embedding compile in a .%s file', (extension) => {
  installPacked(folder, { dependencies: true });
  const blocks = readFileSync(path.join(ROOT, 'docs/EMBEDDING.md'), 'utf8').matchAll(/```js\n(.*?)```/gs);
  const [api = '', worker = ''] = [...blocks].map(([, code]) => code);
  const importsOf = (code: string) => code.match(/^import .*;$/gm) ?? [];
  const bodyOf = (code: string) => code.replace(/^import .*;$/gm, '');
  const program = `
    ${[...importsOf(api), ...importsOf(worker)].join('\n')}
    import type { WorkerOptions } from '@temporalio/worker';
    declare const logIn: express.RequestHandler;
    declare const yourOptions: WorkerOptions;
    declare const table: { upsert(rows: object[]): Promise<void> };
    declare module 'node:http' { interface IncomingMessage { user?: { name: string } } }
    declare const client: Client;
    export async function api() { ${bodyOf(api).replace(/^const client = .*$/m, '')} }
    export async function worker() { ${bodyOf(worker).replace('...value', '...Object(value)')} }
  `;
  // Types of Temporal's SDK don't pass exactOptionalPropertyTypes; that is not for us to judge.
  const complaints = compilerMessages(`program.${extension}`, program)
    .split('\n')
    .filter((line) => /^\S/.test(line));
  expect(complaints.filter((line) => !/^\S*node_modules\/@temporalio\//.test(line))).toEqual([]);
});

test.each([
  [
    'store.mjs',
    `import { defineStore } from 'keepapart/store';
     export default defineStore({ saveBatch: (records) => records.map(() => 'saved') });`,
    `import store from './store.mjs';
     import { storeContract } from 'keepapart/store/testing';`,
  ],
  [
    'store.cjs',
    `const { defineStore } = require('keepapart/store');
     module.exports = defineStore({ saveBatch: (records) => records.map(() => 'saved') });`,
    `import store from './store.cjs';
     import { createRequire } from 'node:module';
     const { storeContract } = createRequire(import.meta.url)('keepapart/store/testing');`,
  ],
])(
  '%s of somebody who installed the package has keepapart/store and its contract tests, which hold',
  (name, store, imports) => {
    installPacked(folder);
    writeFileSync(path.join(folder, name), store);
    const program = `${imports}
    const tests = storeContract('./${name}');
    for (const { check } of [tests[0], tests.at(-1)]) await check();
    console.log(typeof store.saveBatch, tests.length > 10);`;
    writeFileSync(path.join(folder, 'program.mjs'), program);
    const printed = execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' });
    expect(printed).toBe('function true\n');
  },
  // A process for each kill, on a busy machine.
  5 * 60_000,
);

test('Nothing else of the package can be reached.', () => {
  const printed = runModule(`
    const codes = await Promise.all(['keepapart/domain', 'keepapart/dist/src/http/app.js'].map(
      (name) => import(name).catch(({ code }) => code)));
    console.log(JSON.stringify(codes));
  `);
  expect(JSON.parse(printed)).toEqual(Array(2).fill('ERR_PACKAGE_PATH_NOT_EXPORTED'));
});

/** The files that a command has loaded when it ends. */
function filesLoadedBy(args: readonly string[]): string[] {
  const atEnd = `
    import { Module } from 'node:module';
    process.on('exit', () => console.log('\\n' + JSON.stringify(Object.keys(Module._cache))));
  `;
  const printed = execFileSync(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(atEnd)}`, 'dist/src/cli/main.js', ...args],
    { cwd: path.resolve(__dirname, '../..'), encoding: 'utf8' },
  );
  return JSON.parse(printed.trim().split('\n').at(-1)!) as string[];
}

function packagesAmong(files: readonly string[], packages: RegExp): string[] {
  return files.filter((file) => packages.test(/\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? ''));
}

test('A command that goes through the API loads neither Temporal nor Express.', () => {
  const files = filesLoadedBy(['send', '--help']);
  expect(files.some((file) => file.endsWith('dist/src/client/client.js'))).toBe(true);
  expect(packagesAmong(files, /^(@temporalio\/.*|express|pino|yaml)$/)).toEqual([]);
});

test.each([
  [['check', 'examples/rules/one-and-two.yaml'], 'rules/check.js', true],
  [['check', '--conflicts', '[]'], 'rules/check.js', false],
  [['explain', 'LICENSE', '--format', 'ndjson', '--help'], 'rules/rules-commands.js', false],
  [['test', 'examples/rules/one-and-two.yaml'], 'rules/test.js', true],
])('rules %j loads neither Temporal nor Express, and YAML only where it is needed', (args, own, yaml) => {
  const files = filesLoadedBy(['rules', ...args]);
  expect(files.some((file) => file.endsWith(own))).toBe(true);
  expect(packagesAmong(files, /^(@temporalio\/.*|express|pino)$/)).toEqual([]);
  expect(packagesAmong(files, /^yaml$/).length > 0).toBe(yaml);
});

/** The package as somebody has it who installed nothing else, and what the compiler says of a program that uses it. */
function compilerOutput(program: string): string {
  const installed = path.join(folder, 'node_modules/keepapart');
  cpSync(path.join(ROOT, 'package.json'), path.join(installed, 'package.json'));
  const isTypes = (source: string) => !path.extname(source) || source.endsWith('.d.ts');
  cpSync(path.join(ROOT, 'dist/src'), path.join(installed, 'dist/src'), { recursive: true, filter: isTypes });
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  return compilerMessages('program.ts', program);
}

/** What the compiler says of a program in a file of this name in the folder. */
function compilerMessages(name: string, program: string): string {
  writeFileSync(path.join(folder, name), program);
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
    types: ['node'],
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [name] }));
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' }).stdout;
}

test('The types of keepapart/client need no other package, and the documented programs compile with them.', () => {
  const examples = ['docs/CLIENTS.md', 'README.md'].map(
    (name) =>
      /```ts\n(.*?from 'keepapart\/client'.*?)```/s.exec(readFileSync(path.join(ROOT, name), 'utf8'))![1]!,
  );
  const used = `
    declare const database: { query(text: string): { stream(): AsyncIterable<unknown> } };
    export * from 'keepapart/client';
    export * as library from 'keepapart';
  `;
  const inBlocks = examples.map((text, i) => {
    const [, imports = '', rest = ''] = /^(import .*?;\n)(.*)$/s.exec(text)!;
    return [
      imports.replace(/\b(Keepapart\w+)/g, `$1 as $1_${i}`),
      rest.replace(/\b(Keepapart\w+)/g, `$1_${i}`),
    ];
  });
  const program = [
    ...inBlocks.map(([imports]) => imports),
    used,
    ...inBlocks.map(([, rest], i) => `export async function example${i}() {\n${rest}\n}`),
  ].join('\n');
  expect(compilerOutput(program)).toBe('');
});

test('The types of keepapart/store need no other package, and a store with and without options compiles with them.', () => {
  const program = `
    import { defineStore, storeAway, type RecordStore, type SaveOutcome } from 'keepapart/store';
    import { storeContract } from 'keepapart/store/testing';
    export const simple = defineStore({
      async saveBatch(records, { attempt, signal }) {
        if (signal.aborted) throw storeAway('called off', { retryAfterMs: 100 * attempt });
        return records.map(({ value }): SaveOutcome => value === null ? { outcome: 'rejected' } : 'saved');
      },
    });
    export const opened = defineStore({
      options: { parse: (value: unknown) => ({ url: String(value) }) },
      open: ({ url }, { outDir }) => ({ saveBatch: (records) => records.map(() => 'saved'), close: () => void (url + outDir) }),
    });
    declare const port: RecordStore;
    export const full = defineStore(port);
    export const titles: string[] = storeContract('./store.mjs').map(({ title }) => title);
  `;
  expect(compilerOutput(program)).toBe('');
});

test('The version is that of the newest release that the changelog describes.', () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const [, newest] = /^## (\d+\.\d+\.\d+)/m.exec(readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8'))!;
  const lock = readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8');
  const { version: locked, packages } = JSON.parse(lock) as {
    version: string;
    packages: Record<string, { version: string }>;
  };
  expect([version, locked, packages['']?.version]).toEqual([newest, newest, newest]);
});

test.each([
  ['prepare', 0],
  ['prestart', 1],
])('where development packages are left out, %s says so in one line and exits with %d', (event, code) => {
  // Next to no node_modules at all.
  for (const name of ['src', 'workflows', 'activities']) mkdirSync(path.join(folder, name));
  const needed = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
  ];
  for (const name of needed) cpSync(path.join(ROOT, name), path.join(folder, name));
  const { status, stderr } = spawnSync(process.execPath, [path.join(folder, 'scripts/build.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, npm_lifecycle_event: event },
  });
  expect([status, stderr]).toEqual([code, expect.stringMatching(/^keepapart: not built, .*\n$/)]);
  expect(existsSync(path.join(folder, 'dist'))).toBe(false);
});
