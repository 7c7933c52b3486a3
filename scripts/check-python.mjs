// Checks the Python client: mypy in its strict mode, and a wheel that can be built and imported. `npm run check:python`
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MYPY = 'mypy==2.4.1';
const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-python-'));
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: 'inherit' });
try {
  // A copy, because a build leaves files beside the sources.
  const client = path.join(folder, 'client');
  cpSync(path.resolve(import.meta.dirname, '../clients/python'), client, { recursive: true });
  run('python3', ['-m', 'venv', path.join(folder, 'venv')]);
  const bin = path.join(folder, 'venv/bin');
  const pip = (...args) => run(path.join(bin, 'pip'), ['--quiet', '--disable-pip-version-check', ...args]);
  pip('install', MYPY);
  run(path.join(bin, 'mypy'), [], client);
  pip('wheel', '--no-deps', '--wheel-dir', folder, client);
  const [wheel] = readdirSync(folder).filter((name) => name.endsWith('.whl'));
  pip('install', path.join(folder, wheel));
  run(path.join(bin, 'python'), ['-c', 'import keepapart; print(keepapart.KeepapartClient)'], folder);
} catch (error) {
  console.error(String(error.message ?? error));
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
