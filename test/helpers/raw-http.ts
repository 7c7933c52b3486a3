import { connect } from 'node:net';

/** One answer as it came over the wire. */
export interface RawAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends bytes as they are over a connection of its own, so that no client library mends or refuses them first, and waits
 * until the server has closed. `halfClose` ends the sending side behind them.
 */
export async function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  { halfClose = true } = {},
): Promise<RawAnswer[]> {
  const received: Buffer[] = [];
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk: Buffer) => void received.push(chunk));
    // A server that refuses early may close while it is still being sent to.
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    if (halfClose) socket.end();
  });
  return answersIn(Buffer.concat(received).toString('latin1'));
}

/** Every answer in what a server sent, a byte a character. Each of ours that has a body tells its length. */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    if (end < 0 || Number.isNaN(status)) throw new Error(`this is no answer: ${JSON.stringify(rest)}`);
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const start = end + 4;
    const length = Number(headers['content-length'] ?? 0);
    answers.push({
      status,
      headers,
      body: Buffer.from(rest.slice(start, start + length), 'latin1').toString(),
    });
    rest = rest.slice(start + length);
  }
  return answers;
}

/** Sends bytes as they are over a connection of its own, and hangs up when the first answer is there to its end. */
export async function askRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
      const [, head, body] = /^([^]*?\r\n\r\n)([^]*)$/.exec(received) ?? [];
      if (/^transfer-encoding: chunked\r$/im.test(head ?? '')) {
        if (!received.endsWith('\r\n0\r\n\r\n')) return;
        socket.destroy();
        const [answer] = answersIn(head ?? '');
        if (answer) resolve({ ...answer, body: joinChunks(body ?? '') });
        return;
      }
      const length = Number(/^content-length: (\d+)\r$/im.exec(head ?? '')?.[1] ?? 0);
      if (body === undefined || body.length < length) return;
      socket.destroy();
      const [answer] = answersIn(received);
      if (answer) resolve(answer);
    });
    // What was sent too much may be refused in any way once the answer is there.
    socket
      .once('close', () => reject(new Error(`no whole answer: ${received}`)))
      .on('error', () => undefined);
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** The body of an answer of unknown length. */
function joinChunks(chunked: string): string {
  let text = '';
  for (let rest = chunked; rest !== '';) {
    const [line = '', length = ''] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? [];
    const size = parseInt(length, 16);
    if (!(size > 0)) break;
    text += rest.slice(line.length, line.length + size);
    rest = rest.slice(line.length + size + 2);
  }
  return Buffer.from(text, 'latin1').toString();
}
