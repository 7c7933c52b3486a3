import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

/**
 * Puts the package, as it is packed, where a project in a folder finds it.
 * @param dependencies whether with everything that we have installed; by default without what it depends on
 * @returns the folder of the package
 */
export function installPacked(folder: string, { dependencies = false } = {}): string {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: ROOT,
      encoding: 'utf8',
    }),
  ) as [{ filename: string }];
  const installed = path.join(folder, 'node_modules/keepapart');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['xzf', path.join(folder, filename), '-C', installed, '--strip-components=1']);
  if (!dependencies) return installed;
  for (const name of readdirSync(path.join(ROOT, 'node_modules')))
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  return installed;
}
