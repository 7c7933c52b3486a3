import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

/**
 * Runs a script on another version of Node, with that `node` first on PATH, so that everything it starts runs on it too.
 * Native modules stay as they are installed: all of them use Node-API, whose ABI doesn't change with Node's version.
 * @returns the script's exit code; 1 when that Node can't be installed here, which is reported on stderr
 */
export async function runOnNode(version, args) {
  require(path.join(root, 'test/helpers/run-typescript.js'));
  const { NotHere, nodeInstalled } = require(path.join(root, 'bench/contenders/installs.ts'));
  let node;
  try {
    node = await nodeInstalled(version);
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    console.error(error.message);
    return 1;
  }
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
  const child = spawn(node, args, { stdio: 'inherit', env });
  // A Ctrl-C at the terminal reaches both; the child then decides when to end.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
