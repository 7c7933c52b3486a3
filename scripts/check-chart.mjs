// Checks the Helm chart, `npm run check:chart`, and writes what is made from other files with `-- --update`:
// docs/KUBERNETES.md.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '..');

require(path.join(root, 'test/helpers/run-typescript.js'));
const { chartCommand } = require(path.join(root, 'test/chart/chart-command.ts'));
try {
  process.exitCode = await chartCommand(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
