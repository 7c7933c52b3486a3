import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { batchesIn, type ExecutionInfo } from '../../src/temporal/children/batch-facts';

test("A batch has the requests in its child's memo, and none that is named like a property of every object.", () => {
  const info = {
    type: WORKFLOW_TYPE.child,
    workflowId: 'batch-1',
    runId: 'run',
    status: { name: 'RUNNING', code: 1 },
    typedSearchAttributes: { get: () => undefined },
    startTime: new Date(0),
    memo: { requests: [['toString', 7]], batches: [['size', [0]]] },
  } as unknown as ExecutionInfo;
  const [{ requestSizes } = { requestSizes: new Map<string, number>() }] = batchesIn(info);
  expect([...requestSizes]).toEqual([['toString', 7]]);
  expect(['constructor', 'valueOf', '__proto__'].filter((name) => requestSizes.has(name))).toEqual([]);
});
