// Cuts the same records with several versions of Node, and fails unless all give the same batches, bounds and steps:
//   node scripts/same-batches.mjs /path/to/node-24 /path/to/node-26
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';

const others = process.argv.slice(2);
if (others.length === 0) {
  console.error('Usage: node scripts/same-batches.mjs <path of another version of Node> …');
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), 'same-batches-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const outfile = path.join(folder, 'digest.cjs');
buildSync({
  absWorkingDir: path.resolve(import.meta.dirname, '..'),
  entryPoints: ['bench/partition/digest.ts'],
  bundle: true,
  platform: 'node',
  outfile,
});
const digests = [process.execPath, ...others].map((node) => {
  const run = (...args) => execFileSync(node, args, { encoding: 'utf8' }).trim();
  const digest = run(outfile);
  console.log(`${run('--version')}  ${digest}`);
  return digest;
});
if (new Set(digests).size > 1) {
  console.error('The batches differ.');
  process.exit(1);
}
