import path from 'node:path';
import { bundleOf, startBuild } from '../helpers/builds';
import { savedValues } from '../helpers/memory-store';
import { startPipeline } from '../helpers/pipeline';

/** A loop as that of slow-build.ts takes this long here: more than the 5 s after which the SDK breaks a task off. */
const SLOW_MS = 6500;

function stepsThatTake(ms: number): number {
  let steps = 0;
  let sum = 0;
  for (const startedAtMs = performance.now(); performance.now() - startedAtMs < ms / 10;) {
    for (let i = 0; i < 100_000; i++) sum = Math.imul(sum + i, 31);
    steps += 100_000;
  }
  return sum === 0.5 ? 0 : steps * 10;
}

test('A worker survives a workflow task that takes longer than the SDK waits for one, and completes it.', async () => {
  const pipeline = await startPipeline({ worker: 'none' });
  const code = await bundleOf(path.join(__dirname, 'slow-build.ts'));
  const build = await startBuild(pipeline, {
    workflowBundle: { code: `globalThis.SLOW_STEPS = ${stepsThatTake(SLOW_MS)};${code.code}` },
  });
  try {
    await pipeline.send([1]);
    await pipeline.quiet();
    expect(savedValues(pipeline.store)).toEqual([1]);
  } finally {
    await build.stop();
    await pipeline.close();
  }
});
