import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One answer: a status with a body, or a connection that is cut. */
export type Scripted = { status: number; body: string | object; headers?: Record<string, string> } | 'reset';

/** A problem as the API answers it. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}): Scripted => ({
  status,
  headers,
  body: { status, code, title: 'A title', detail: `What is wrong: ${code}` },
});

export interface ScriptedApi {
  url: string;
  /** Every request so far. */
  asked: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  close(): Promise<void>;
}

/** A server that answers one request after the other as it is told, the last answer again and again. */
export async function startScriptedApi(...answers: Scripted[]): Promise<ScriptedApi> {
  const asked: ScriptedApi['asked'] = [];
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      asked.push({ method: req.method ?? '', path: req.url ?? '', headers: req.headers, body });
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? 'reset';
      if (answer === 'reset') {
        req.socket.resetAndDestroy();
        return;
      }
      res.writeHead(answer.status, answer.headers);
      res.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
