import { postLoad, type LoadFigures } from '../harness/load';
import { machineCpu, usageOf } from '../harness/usage';
import type { Contender, Stack } from './stack';

/** What nothing drains has to fit the buffer, beside what the API still believes to be there from the time before. */
const MAX_RECORDS = 100_000;

/** What the clients do. */
export interface Cell {
  /** Of one request. */
  records: number;
  connections: number;
}

export interface Measured extends LoadFigures {
  perSecond: number;
  /** By how many records the batcher differs from what was acknowledged. */
  lost: number;
  /** CPU time of each process of the stack and of the client, in microseconds per acknowledged request. */
  cpuUs: Record<string, number>;
  /** CPU time of the machine that went to none of them, as a share of what was used. */
  othersShare: number;
}

/** One contender under one load, with empty buffers to begin with. */
export async function measure(
  stack: Stack,
  contender: Contender,
  { records, connections }: Cell,
  seconds: number,
): Promise<Measured> {
  await stack.reset();
  const names = Object.keys(stack.pids);
  const pids = Object.values(stack.pids);
  const [before, machineBefore] = await Promise.all([usageOf(pids), machineCpu()]);
  const figures = await postLoad({
    url: stack.url(contender),
    values: Array.from({ length: records }, (_, i) => i + 3),
    connections,
    seconds,
    maxRequests: Math.floor(MAX_RECORDS / records),
    headers: stack.headers,
    withKeys: contender === 'keepapart, keys',
  });
  const [after, machineAfter] = await Promise.all([usageOf(pids), machineCpu()]);
  const used = after.map(({ cpuMs }, i) => cpuMs - (before[i]?.cpuMs ?? 0));
  const ours = used.reduce((sum, ms) => sum + ms, figures.startMs + figures.cpuMs);
  const machineMs = machineAfter.busyMs - machineBefore.busyMs;
  const perRequest = (ms: number) => (ms * 1000) / figures.answered;
  const acknowledged = figures.answered * records;
  return {
    ...figures,
    perSecond: (figures.answered * 1000) / figures.elapsedMs,
    lost: Math.abs(acknowledged - ((await stack.taken(contender)) ?? acknowledged)),
    cpuUs: {
      ...Object.fromEntries(names.map((name, i) => [name, perRequest(used[i] ?? 0)])),
      client: perRequest(figures.cpuMs),
    },
    othersShare: Math.max(0, 1 - ours / machineMs),
  };
}
