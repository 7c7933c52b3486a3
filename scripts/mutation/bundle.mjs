// Bundles the workflows of this folder, a copy that Stryker has changed, and gives the bundle what it knows: which change
// is in force, and where to note what was run. The sandbox of workflows hides both; whatever it got from outside leads there.
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '../..');
const file = path.join(root, 'dist/workflow-bundle.js');

const FROM_OUTSIDE =
  "globalThis.__stryker__ = TextEncoder.constructor('return globalThis.__stryker__ ??= {}')(); " +
  'globalThis.__stryker__.activeMutant ??= ' +
  "TextEncoder.constructor('return process.env.__STRYKER_ACTIVE_MUTANT__')(); ";

// Stryker links the packages only after this.
const packages = path.join(root, 'node_modules');
if (!existsSync(packages)) symlinkSync(process.env.KEEPAPART_MUTATION_PACKAGES, packages, 'dir');

require(path.join(root, 'test/helpers/run-typescript.js'));
const { DefaultLogger } = require('@temporalio/worker');
const { bundleForWorkers } = require(path.join(root, 'src/temporal/worker/workflow-bundle.ts'));
const { code } = await bundleForWorkers(path.join(root, 'workflows/index.ts'), new DefaultLogger('WARN'));
writeFileSync(file, FROM_OUTSIDE + code);
