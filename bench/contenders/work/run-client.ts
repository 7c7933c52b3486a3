/*
 * The program that sends: loads a contender's client (the module named by its argument, which exports `connect`), and
 * does what it is told by lines on stdin, `{"from":0,"to":2000}`. When all lists of it are acknowledged it answers with
 * a line, `{"lists":[{"from":0,"to":100,"sentAtMs":…,"ackedAtMs":…},…]}`.
 */
import { createInterface } from 'node:readline';
import { monotonicMs } from '../../harness/clock';
import { benchRecord, readWork, type BenchRecord, type Work } from './work';

/** What a contender's client module exports. */
export interface ClientModule {
  connect(work: Work): Promise<ContenderClient>;
}

export interface ContenderClient {
  /** Resolves when the list is durably accepted. */
  send(records: BenchRecord[], listId: string): Promise<unknown>;
}

/** What to send. */
export interface Order {
  /** Ids, the last one not included. */
  from: number;
  to: number;
  /** Records in a list. */
  listSize: number;
  /** Lists on their way at once. */
  callers: number;
  /** Share of records that are kept apart from others. */
  share: number;
}

/** A list that was acknowledged. */
export interface SentList {
  from: number;
  to: number;
  sentAtMs: number;
  ackedAtMs: number;
  /** On the monotonic clock, and how long the answer took; not from Celery's client. */
  sentAtMonotonicMs?: number;
  answerMs?: number;
}

async function carryOut(client: ContenderClient, work: Work, order: Order): Promise<SentList[]> {
  const lists: SentList[] = [];
  let next = order.from;
  const caller = async () => {
    while (next < order.to) {
      const from = next;
      const to = Math.min(from + order.listSize, order.to);
      next = to;
      const records = Array.from({ length: to - from }, (_, i) =>
        benchRecord(from + i, order.share, work.apart),
      );
      const [sentAtMs, sentAtMonotonicMs] = [Date.now(), monotonicMs()];
      await client.send(records, `list-${from}`);
      const answerMs = monotonicMs() - sentAtMonotonicMs;
      lists.push({ from, to, sentAtMs, ackedAtMs: Date.now(), sentAtMonotonicMs, answerMs });
    }
  };
  await Promise.all(Array.from({ length: order.callers }, caller));
  return lists;
}

async function main([modulePath = '']: string[]): Promise<void> {
  const work = readWork();
  const { connect } = (await import(modulePath)) as ClientModule;
  const client = await connect(work);
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const lists = await carryOut(client, work, JSON.parse(line) as Order);
    process.stdout.write(`${JSON.stringify({ lists })}\n`);
  }
  process.exit(0);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
