// The packages that are published, made from this one: `npm run pack -- FOLDER`, docs/decisions/0037-two-packages.md.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');

/** What the library, the client, and the commands that call an API or read files need. Everything else is the server's. */
const CLIENT_DEPENDENCIES = [
  '@streamparser/json',
  'commander',
  'csv-parse',
  'express',
  'helmet',
  'limiter',
  'log-update',
  'lru-cache',
  'picocolors',
  'pino',
  'yaml',
  'zod',
];

const BIN = `#!/usr/bin/env node
'use strict';
const { dirname, join } = require('node:path');
require(join(dirname(require.resolve('keepapart/package.json')), 'dist/src/cli/main.js'));
`;

const ABOUT = `# keepapart-server

What keepapart needs to run a server, a worker or an API: Temporal's SDK, the
database driver, logging and metrics, in the versions that were tested together. It has no code of its own.

    npm install keepapart keepapart-server
    npx keepapart serve
`;

/**
 * Packs `keepapart`, with all code and the few dependencies of a client, and `keepapart-server`, with the other dependencies
 * and no code.
 * @param folder where the two tarballs go
 * @returns npm's descriptions of them: filename, entryCount, size, unpackedSize
 */
export function packPackages(folder) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const staging = mkdtempSync(path.join(tmpdir(), 'keepapart-packages-'));
  try {
    return [packClient(staging, folder, manifest), packServer(staging, folder, manifest)];
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function packClient(staging, folder, manifest) {
  // As npm packs it here, so that `files` decides; only the manifest is another.
  const [{ filename }] = npmPack(root, staging);
  execFileSync('tar', ['xzf', path.join(staging, filename), '-C', staging]);
  const { devDependencies, overrides, scripts, allowScripts, scarfSettings, ...kept } = manifest;
  const { dependencies, peerDependencies, peerDependenciesMeta } = manifest;
  const servers = pick(dependencies, (name) => !CLIENT_DEPENDENCIES.includes(name));
  const published = {
    ...kept,
    private: undefined,
    dependencies: pick(dependencies, (name) => CLIENT_DEPENDENCIES.includes(name)),
    peerDependencies: { ...servers, ...peerDependencies },
    peerDependenciesMeta: {
      ...Object.fromEntries(Object.keys(servers).map((name) => [name, { optional: true }])),
      ...peerDependenciesMeta,
    },
  };
  return npmPack(withManifest(path.join(staging, 'package'), published), folder)[0];
}

function packServer(staging, folder, { version, license, engines, dependencies }) {
  const server = path.join(staging, 'server');
  mkdirSync(server);
  writeFileSync(path.join(server, 'bin.js'), BIN);
  writeFileSync(path.join(server, 'README.md'), ABOUT);
  cpSync(path.join(root, 'LICENSE'), path.join(server, 'LICENSE'));
  const published = {
    name: 'keepapart-server',
    version,
    description: 'What keepapart needs to run a server, a worker or an API',
    license,
    engines,
    type: 'commonjs',
    bin: { keepapart: 'bin.js' },
    exports: { './package.json': './package.json' },
    dependencies: {
      keepapart: version,
      ...pick(dependencies, (name) => !CLIENT_DEPENDENCIES.includes(name)),
    },
  };
  return npmPack(withManifest(server, published), folder)[0];
}

function withManifest(folder, manifest) {
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
}

function npmPack(folder, to) {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', to];
  return JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }));
}

function pick(packages, isPicked) {
  return Object.fromEntries(Object.entries(packages).filter(([name]) => isPicked(name)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.resolve(process.argv[2] ?? 'release');
  mkdirSync(folder, { recursive: true });
  for (const { filename, size } of packPackages(folder)) console.log(`${filename}  ${size} bytes`);
}
