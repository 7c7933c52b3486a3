import { createInterface } from 'node:readline';
import { diskFolder } from '../harness/folders';
import type { PipedProgram } from '../harness/programs';
import type { Contender, Started } from './contenders';
import { watchOutcomes } from './outcomes';
import { openStage, type Stage } from './stage';
import type { Order, SentList } from './work/run-client';
import { WARM_UP_FROM } from './work/work';

/** A contender with everything started and warmed up. */
export interface Running {
  stage: Stage;
  history: Started['history'];
  /** Sends records; resolves when all are acknowledged. */
  send(order: Order): Promise<SentList[]>;
  /** Files that the warm-up left. */
  warmUpFiles: ReadonlySet<string>;
}

/** How the warm-up is sent, and how often saves fail afterwards. */
export interface RunSettings extends Omit<Order, 'from' | 'to'> {
  failureRate: number;
}

const WARM_UP_RECORDS = 200;
/** A slow contender warms up with this share of its records instead. */
const WARM_UP_SHARE = 1 / 12;
const WARM_UP_WITHIN_MS = 60_000;

/** Starts a contender in new folders with new servers, warms it up, lets `use` work with it, and ends everything. */
export async function withRunning<T>(
  contender: Contender,
  { failureRate, ...sending }: RunSettings,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const stage = await openStage(await diskFolder(), {
    maxBatchSize: 5,
    apart: [1, 2],
    maxAttempts: 3,
    retryIntervalMs: 1000,
    failureRate,
    server: '',
    kind: '',
  });
  try {
    const { client: program, history } = await contender.start(stage);
    const { command, args, env } = program;
    const client = await stage.startClient(command, args, {
      ...(env !== undefined && { env }),
      up: /^ready$/m,
    });
    const send = orders(client);
    const records = Math.min(WARM_UP_RECORDS, Math.floor(WARM_UP_SHARE * (contender.atMost ?? Infinity)));
    const range = { from: WARM_UP_FROM, to: WARM_UP_FROM + records };
    const outcomes = watchOutcomes(stage.work, range);
    await send({ ...sending, ...range });
    if (!(await outcomes.untilAll(WARM_UP_WITHIN_MS))) throw new Error('warming up took over a minute');
    return await use({ stage, history, send, warmUpFiles: outcomes.names });
  } finally {
    await stage.stop();
  }
}

function orders(client: PipedProgram): Running['send'] {
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
  return async (order) => {
    client.stdin.write(`${JSON.stringify(order)}\n`);
    for (;;) {
      const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done === true) throw new Error(`the client ended:\n${client.output()}`);
      if (value.startsWith('{"lists"')) return (JSON.parse(value) as { lists: SentList[] }).lists;
    }
  };
}
