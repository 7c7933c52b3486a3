import { createHash } from 'node:crypto';
import { cutClasses } from '../../src/domain/partition/cut-classes';
import { classify } from '../../src/domain/partition/graph/classes';
import { createRandom } from '../../test/chaos/random';
import { drawShape, shapeOf } from '../../test/helpers/drawn-shapes';
import { recordsOfShape, SHAPES, type Shape } from '../../test/helpers/partition-shapes';
import { FAMILIES } from './families';

/** Prints a hash of batches, bounds and steps of many cuts. `scripts/same-batches.mjs` compares it between versions of Node. */
const hash = createHash('sha256');
let cuts = 0;

function add({ rules, maxBatchSize }: Shape, records: ReturnType<typeof recordsOfShape>): void {
  hash.update(JSON.stringify(cutClasses(classify(records, rules), maxBatchSize)));
  cuts++;
}

for (const shape of SHAPES) for (const size of [50, 300, 2000]) add(shape, recordsOfShape(shape, size));
for (let seed = 1; seed <= 100; seed++) {
  const shape = shapeOf('drawn', drawShape(createRandom(seed)));
  for (const size of [30, 300]) add(shape, recordsOfShape(shape, size, seed));
}
for (const percent of [20, 50, 80]) {
  const { values, rules } = FAMILIES.uniform(createRandom(1), 120, percent);
  const records = values.map((value) => ({ value }));
  for (const maxBatchSize of [5, 20])
    add({ name: 'uniform', rules, maxBatchSize, value: () => null }, records);
}
process.stdout.write(`${hash.digest('hex')} of ${cuts} cuts\n`);
