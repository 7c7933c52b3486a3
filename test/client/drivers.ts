import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  KeepapartApiError,
  KeepapartClient,
  KeepapartSourceError,
  KeepapartTimeoutError,
  KeepapartUnreachableError,
} from '../../src/client';

const PYTHON = path.resolve(__dirname, '../../clients/python');

/** One call of the shared test; every client names and answers it alike. */
export interface ClientCall {
  url: string;
  apiKey?: string;
  call: string;
  args: CallArgs;
}

export interface CallArgs {
  key?: string;
  values?: unknown[];
  count?: number;
  failsAfter?: number;
  text?: string;
  requestId?: string;
  batchId?: string;
  records?: string[];
  timeoutMs?: number;
}

/** What a client did: the codes of the errors after which it tried again, and its value or error in the end. */
export interface ClientAnswer {
  retries: string[];
  answer: { value: Record<string, unknown> & unknown[] } | { error: string; [more: string]: unknown };
}

/** A client of one language that can be told what to do. */
export interface Driver {
  make(call: ClientCall): Promise<ClientAnswer>;
  close(): Promise<void>;
}

/** The Python client, in a process of its own. */
export function pythonDriver(): Driver {
  const child = spawn('python3', [path.join(PYTHON, 'tests/drive.py')], {
    env: { PATH: process.env['PATH'], PYTHONPATH: path.join(PYTHON, 'src'), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, 'close');
  return {
    async make(call) {
      child.stdin.write(`${JSON.stringify(call)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the driver of the Python client has ended');
      return JSON.parse(value) as ClientAnswer;
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The TypeScript client, in this process. */
export function typescriptDriver(): Driver {
  return {
    async make({ url, apiKey, call, args }) {
      const retries: string[] = [];
      const client = new KeepapartClient({
        url,
        apiKey,
        retry: {
          maxAttempts: 4,
          initialDelayMs: 10,
          maxDelayMs: 20,
          onRetry: ({ error }) => retries.push(error.code),
        },
      });
      try {
        const value = await made(client, call, args);
        return { retries, answer: { value: JSON.parse(JSON.stringify(value)) as never } };
      } catch (error) {
        return { retries, answer: described(error) };
      }
    },
    close: () => Promise.resolve(),
  };
}

async function made(client: KeepapartClient, call: string, args: CallArgs): Promise<unknown> {
  const { key: idempotencyKey, values = [], requestId = '', batchId = '', records = [], timeoutMs } = args;
  switch (call) {
    case 'send':
      return client.send(values, { idempotencyKey });
    case 'stream':
      return client.stream(() => numbered(args), { idempotencyKey });
    case 'streamNdjson':
      return client.streamNdjson(() => [args.text ?? ''], { idempotencyKey });
    case 'request':
      return client.request(requestId);
    case 'waitForOutcomes':
      return client.waitForOutcomes(requestId, { timeoutMs });
    case 'batches':
      return listed(client.batches({ requestId }));
    case 'batch':
      return client.batch(batchId);
    case 'deadLetters':
      return listed(client.deadLetters({ requestId }));
    case 'redrive':
      return client.redrive({ records }, { by: 'tests' });
    case 'startAudit':
      return client.startAudit({ by: 'tests' });
    case 'audits':
      return client.audits();
    case 'status':
      return client.status();
    case 'flush':
      return client.flush({ by: 'tests' });
    case 'pause':
      return client.pause({ by: 'tests' });
    case 'resume':
      return client.resume({ by: 'tests' });
    default:
      throw new Error(`no such call: ${call}`);
  }
}

async function listed<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

function* numbered({ count = 0, failsAfter }: CallArgs): Generator {
  for (let n = 0; n < count; n++) {
    if (n === failsAfter) throw new Error('the source is broken');
    yield { n, text: 'ä€😀' };
  }
}

function described(error: unknown): ClientAnswer['answer'] {
  if (error instanceof KeepapartApiError) {
    const { name, code, status, accepted = null } = error;
    return { error: name, code, status, accepted };
  }
  if (error instanceof KeepapartSourceError)
    return { error: error.name, accepted: error.accepted ?? null, requestId: error.requestId };
  if (error instanceof KeepapartUnreachableError) return { error: error.name, code: error.code };
  if (error instanceof KeepapartTimeoutError) return { error: error.name };
  // The kind of error by which each language refuses a wrong argument.
  if (error instanceof TypeError) return { error: 'ValueError' };
  throw error;
}
