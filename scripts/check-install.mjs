// Installs the packages from their tarballs in an empty folder, and runs a server there on each version of Node that
// package.json allows: `npm run check:install [-- 20 24]`. Exits with 1 if one fails.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packPackages } from './pack-packages.mjs';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', '26'];
const PORTS = ['HTTP', 'TCP', 'TEMPORAL', 'UI'];
const env = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  KEEPAPART_LOG_LEVEL: 'warn',
  ...Object.fromEntries(PORTS.map((name) => [`KEEPAPART_${name}_PORT`, '0'])),
};

require(path.join(root, 'test/helpers/run-typescript.js'));
const { nodeInstalled } = require(path.join(root, 'bench/contenders/installs.ts'));

execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-install-'));
try {
  const [client, server] = packPackages(folder).map(({ filename }) => path.join(folder, filename));
  install('client', client);
  const installed = install('server', client, server);
  for (const version of versions) await runOn(version, installed);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function install(name, ...tarballs) {
  const target = path.join(folder, name);
  mkdirSync(target);
  writeFileSync(path.join(target, 'package.json'), '{ "private": true }');
  const began = performance.now();
  execFileSync('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: target, stdio: 'pipe' });
  const seconds = Math.round((performance.now() - began) / 1000);
  const [size] = execFileSync('du', ['-sm', 'node_modules'], { cwd: target, encoding: 'utf8' }).split('\t');
  console.log(`${name}: ${size} MB in ${seconds} s`);
  return path.join(target, 'node_modules');
}

/** Serves, sends and audits in an empty folder. */
async function runOn(version, installed) {
  const node = await nodeInstalled(version);
  const cwd = mkdtempSync(path.join(folder, 'run-'));
  symlinkSync(installed, path.join(cwd, 'node_modules'));
  const main = path.join(installed, 'keepapart/dist/src/cli/main.js');
  const serve = spawn(node, [main, 'serve'], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(serve, 'close');
  try {
    const url = await addressOf(serve);
    run(node, [main, 'send', '[1,2,3]', '--wait', '--url', url], cwd);
    run(node, [main, 'audit'], cwd);
    const files = readdirSync(path.join(cwd, 'data/out')).filter((name) => name.endsWith('.log'));
    if (files.length < 2) throw new Error(`Node ${version}: 1 and 2 are not in different files`);
  } finally {
    serve.kill('SIGINT');
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`Node ${version}: serve ended with ${code}`);
  console.log(`Node ${version}: served, sent, audited`);
}

/** Waits until it serves; fails if it ends before. */
function addressOf(serve) {
  let text = '';
  return new Promise((resolve, reject) => {
    serve.stdout.on('data', (piece) => {
      text += piece;
      const [, url] = /^ +API +(http:\/\/[^/\s]+)/m.exec(text) ?? [];
      if (url !== undefined && text.includes('Ctrl-C stops it')) resolve(url);
    });
    serve.once('close', () => reject(new Error(`serve ended: ${text}`)));
  });
}

function run(node, args, cwd) {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.slice(1).join(' ')} ended with ${status}: ${stdout}${stderr}`);
}
