// Makes a release: `npm run release -- --help`, CONTRIBUTING.md "Releases".
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packPackages } from './pack-packages.mjs';

const USAGE = `npm run release [-- --tag] [--without-tests]

Builds, tests, packs, checks and tags the version in package.json. The results are in release/: the two packages, what they are
made of (an SBOM in CycloneDX's format), and their SHA-256 sums. By default nothing is tagged; nothing is ever published.

  --tag            tags the commit vVERSION, if everything passed
  --without-tests  leaves out the suite, which takes half an hour; not with --tag`;

const root = path.resolve(import.meta.dirname, '..');
const { values: flags } = parseArgs({
  options: { help: { type: 'boolean' }, tag: { type: 'boolean' }, 'without-tests': { type: 'boolean' } },
});
const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: 'inherit' });
const output = (command, ...args) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

try {
  if (flags.help) console.log(USAGE);
  else release();
} catch (error) {
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}

function release() {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const tag = `v${version}`;
  if (flags.tag && flags['without-tests'])
    throw new Error('what is tagged was tested: leave out --without-tests');
  const wrong = obstacles(version, tag);
  for (const line of wrong) console.error(`release: ${line}`);
  if (flags.tag && wrong.length > 0) throw new Error('nothing was built');

  run('npm', 'run', 'build');
  run('npm', 'run', 'typecheck');
  run('npm', 'run', 'lint');
  if (!flags['without-tests']) run('npm', 'test');
  run('npm', 'run', 'check:package');
  packInto(path.join(root, 'release'), version);
  if (!flags.tag) return console.log(`Dry run: ${tag} was not tagged. With --tag it is.`);
  run('git', 'tag', '--annotate', tag, '--message', `keepapart ${version}`);
  console.log(`Tagged ${tag}. To publish it, see "Releases" in CONTRIBUTING.md.`);
}

/** What stands in the way of a tag. */
function obstacles(version, tag) {
  const changes = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8');
  return [
    output('git', 'status', '--porcelain') !== '' && 'there are changes that are not committed',
    output('git', 'tag', '--list', tag) !== '' && `${tag} is tagged already`,
    !new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm').test(changes) &&
      `CHANGELOG.md has no section "## ${version} (YYYY-MM-DD)"`,
  ].filter((line) => line !== false);
}

function packInto(folder, version) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  packPackages(folder);
  const sbom = output('npm', 'sbom', '--omit', 'dev', '--sbom-format', 'cyclonedx');
  writeFileSync(path.join(folder, `keepapart-${version}.cdx.json`), sbom);
  const sums = readdirSync(folder).map((name) => {
    const digest = createHash('sha256').update(readFileSync(path.join(folder, name)));
    return `${digest.digest('hex')}  ${name}\n`;
  });
  writeFileSync(path.join(folder, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(sums.join(''));
}
