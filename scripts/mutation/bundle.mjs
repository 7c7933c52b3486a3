// Bundles the workflows of this folder, a copy that Stryker has changed, and gives the bundle what it knows: which change
// is in force, and where to note what was run. The sandbox of workflows hides both; whatever it got from outside leads there.
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const root = path.resolve(import.meta.dirname, '../..');
const file = path.join(root, 'dist/workflow-bundle.js');

// A function, as the sandbox freezes all that it can reach of objects, and nothing of what stands behind a function.
const FROM_OUTSIDE = `{
  const outside = TextEncoder.constructor('return globalThis.__stryker__ ??= {}')();
  outside.activeMutant ??= TextEncoder.constructor('return process.env.__STRYKER_ACTIVE_MUTANT__')();
  globalThis.__stryker__ = new Proxy(function () {}, {
    get: (_, key) => outside[key],
    set: (_, key, value) => { outside[key] = value; return true; },
  });
}
`.replaceAll('\n', ' ');

// Stryker links the packages only after this.
const packages = path.join(root, 'node_modules');
if (!existsSync(packages)) symlinkSync(process.env.KEEPAPART_MUTATION_PACKAGES, packages, 'dir');

require(path.join(root, 'test/helpers/run-typescript.js'));
const { DefaultLogger } = require('@temporalio/worker');
const { bundleForWorkers } = require(path.join(root, 'src/temporal/worker/workflow-bundle.ts'));
const { code } = await bundleForWorkers(path.join(root, 'workflows/index.ts'), new DefaultLogger('WARN'));
writeFileSync(file, FROM_OUTSIDE + code);
