import { workflowCode } from '../../src/temporal/worker/workflow-bundle';
import { interceptors, QUERY_REFUSED } from '../../workflows/query-guard';
import { bundleOfToday } from '../helpers/builds';

type Activate = NonNullable<NonNullable<ReturnType<typeof interceptors>['internals']>[number]['activate']>;
type Activation = Parameters<Activate>[0]['activation'];

const SIGNAL = [{ signalWorkflow: {} }];

/** Runs activations of one workflow; says of each whether it got through. */
function workflow() {
  const activate = interceptors().internals![0]!.activate!;
  return (activation: Activation, batchIndex = 0) => {
    let passed = false;
    activate({ activation, batchIndex }, () => (passed = true));
    return passed;
  };
}

/** An activation of the task that was started at this second, when history had this many events. */
function activation(second: number, historyLength: number, jobs: Activation['jobs'] = SIGNAL): Activation {
  const timestamp = { seconds: second, nanos: 7 } as unknown as NonNullable<Activation['timestamp']>;
  const historySizeBytes = (second * 1000) as unknown as NonNullable<Activation['historySizeBytes']>;
  return { timestamp, historySizeBytes, historyLength, isReplaying: false, jobs: jobs ?? [] };
}

test('Events that no workflow task has started are refused, with their numbers.', () => {
  const run = workflow();
  run(activation(1, 3));
  expect(() => run(activation(1, 6))).toThrow(`${QUERY_REFUSED}: events 4 to 6 have not been started`);
});

test('A workflow task passes, as do several activations of one.', () => {
  const run = workflow();
  expect(run(activation(1, 3))).toBe(true);
  expect(run(activation(1, 3))).toBe(true);
  expect(run(activation(2, 6))).toBe(true);
  expect(run(activation(2, 6), 1)).toBe(true);
});

test('A replay passes whatever it brings, and so does a query.', () => {
  const run = workflow();
  run(activation(1, 3));
  expect(run(activation(1, 6, [{ queryWorkflow: {} }]))).toBe(true);
  expect(run({ ...activation(1, 6), isReplaying: true })).toBe(true);
});

test('Workflows of one thread know nothing of one another.', () => {
  const [one, other] = [workflow(), workflow()];
  one(activation(1, 3));
  expect(other(activation(1, 6))).toBe(true);
});

test.each([false, true])('every bundle for workers has the guard (versioned: %s)', (versioned) => {
  const { code } = bundleOfToday(versioned) as { code: string };
  expect(code).toContain(QUERY_REFUSED);
  expect(workflowCode({ versioned, stackTraces: true })).toMatchObject({
    interceptors: { workflowModules: expect.arrayContaining([expect.stringMatching(/query-guard$/)]) },
  });
});
