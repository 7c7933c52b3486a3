// Writes the types of the Python client from the API's description: `npm run python:models`, clients/python/README.md.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
require(path.resolve(import.meta.dirname, '../test/helpers/run-typescript.js'));
const { MODELS_FILE, pythonModels } = require(
  path.resolve(import.meta.dirname, '../test/client/python-models.ts'),
);
writeFileSync(MODELS_FILE, await pythonModels());
