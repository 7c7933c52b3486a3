import { parseConflictRules } from '../../src/domain/rules';
import { cutClasses } from '../../src/domain/partition/cut-classes';
import { classify } from '../../src/domain/partition/graph/classes';
import { createRandom } from '../../test/chaos/random';
import { changeShape, drawShape, shapeOf, type DrawnShape } from '../../test/helpers/drawn-shapes';
import { recordsOfShape } from '../../test/helpers/partition-shapes';

/** Changes without a gain after which the climb starts again somewhere else. */
const MAX_IDLE = 25;

interface Cost {
  steps: number;
  /** CPU time in units of a fixed loop, so that the load of the machine cancels out; the less of two runs. */
  loops: number;
}

export interface ClimbOptions {
  /** Records of each shape. */
  size: number;
  /** Shapes that are tried in all. */
  tries: number;
  seed: number;
  /** What to climb on: the steps that are counted (the same on every machine) or CPU time. */
  by: keyof Cost;
}

/**
 * Looks for rules, values and batch sizes that make a cut as slow as possible: draws a shape, changes one thing at a time,
 * and keeps what costs more. It starts again when nothing does for a while, and reports the worst shape of each start.
 */
export function climb({ size, tries, seed, by }: ClimbOptions, report: (line: string) => void): void {
  const random = createRandom(seed);
  let best: { shape: DrawnShape; cost: Cost } | undefined;
  let idle = 0;
  const end = () => {
    if (best === undefined) return;
    const { shape, cost } = best;
    report(`${cost.loops.toFixed(1)} loops, ${cost.steps} steps: ${JSON.stringify(shape)}`);
    best = undefined;
    idle = 0;
  };
  for (let each = 0; each < tries; each++) {
    const shape = best === undefined ? drawShape(random) : changeShape(random, best.shape);
    if (parseConflictRules(shape.rules.flat()).problems.length > 0) continue;
    const cost = costOf(shape, size);
    if (best === undefined || cost[by] > best.cost[by]) {
      best = { shape, cost };
      idle = 0;
    } else if (++idle === MAX_IDLE) end();
  }
  end();
}

function costOf(shape: DrawnShape, size: number): Cost {
  const { rules, maxBatchSize, ...rest } = shapeOf('', shape);
  const records = recordsOfShape({ rules, maxBatchSize, ...rest }, size);
  let [steps, loops] = [0, Infinity];
  for (let run = 0; run < 2; run++) {
    const unit = cpuMsOf(fixedLoop);
    const ms = cpuMsOf(() => (steps = cutClasses(classify(records, rules), maxBatchSize).steps));
    loops = Math.min(loops, ms / unit);
  }
  return { steps, loops };
}

function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage().user;
  work();
  return (process.cpuUsage().user - before) / 1000;
}

/** Four million steps at random places of 4 MB. */
function fixedLoop(): number {
  const cells = new Int32Array(1 << 20);
  let place = 1;
  for (let step = 0; step < 4_000_000; step++) {
    place = (Math.imul(place, 1_664_525) + 1_013_904_223) | 0;
    const cell = place >>> 12;
    cells[cell] = (cells[cell] ?? 0) + 1;
  }
  return cells[0] ?? 0;
}
