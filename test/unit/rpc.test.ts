import type { Client } from '@temporalio/client';
import { QUERY_REFUSED } from '../../src/contracts/query-guard';
import { callTemporal } from '../../src/temporal/rpc';

const client = { withDeadline: (_: number, call: () => unknown) => call() } as unknown as Client;

function queryFailure(message: string): Error {
  return Object.assign(new Error(message), { name: 'QueryNotRegisteredError' });
}

test('a query that the guard of workflows refused is asked again', async () => {
  const failures = [
    queryFailure(`${QUERY_REFUSED}: events 4 to 6`),
    queryFailure(`${QUERY_REFUSED}: event 7`),
  ];
  const ask = () => {
    const failure = failures.shift();
    return failure === undefined ? Promise.resolve('an answer') : Promise.reject(failure);
  };
  expect(await callTemporal(client, 'could not ask', ask)).toBe('an answer');
});

test('a query that failed otherwise is not', async () => {
  const ask = jest.fn(() => Promise.reject(queryFailure('no worker')));
  await expect(callTemporal(client, 'could not ask', ask)).rejects.toMatchObject({
    code: 'temporal-unavailable',
    message: 'could not ask: no worker',
  });
  expect(ask).toHaveBeenCalledTimes(1);
});
