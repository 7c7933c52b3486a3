import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { KeepapartError } from '../../domain/errors';
import { lookupPublic, refusePrivate } from './addresses';

export interface ExchangeOptions {
  url: string;
  /** Whether it may point to this machine or a private network. */
  allowsPrivate: boolean;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface Exchange {
  /**
   * Sends one POST and returns its answer. Redirects are returned like any other answer.
   * @throws `store-away` for a private address (waited for), `save-failed` for an answer that is too long (retried);
   *   otherwise errors of Node
   */
  post(
    body: string,
    headers: Record<string, string>,
    maxAnswerBytes: number,
    signal: AbortSignal,
  ): Promise<Answer>;
  close(): void;
}

/** How long an idle connection is kept open. */
const IDLE_MS = 10_000;

/** Sends requests to one URL over connections that are kept open. */
export function createExchange({ url, allowsPrivate }: ExchangeOptions): Exchange {
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const { Agent, request } = target.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS });

  return {
    async post(body, headers, maxAnswerBytes, signal) {
      if (!allowsPrivate && isIP(host) !== 0) refusePrivate(host);
      return new Promise<Answer>((resolve, reject) => {
        const options: http.RequestOptions = {
          method: 'POST',
          agent,
          signal,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          // Checked for each connection, because a name may point elsewhere by then.
          ...(allowsPrivate ? {} : { lookup: lookupPublic }),
        };
        const sent = request(target, options, (response) => {
          readBody(response, maxAnswerBytes).then(
            (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
            reject,
          );
        });
        sent.on('error', reject);
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

async function readBody(response: http.IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    // Leaving the loop destroys the response and its connection.
    if (bytes > maxBytes)
      throw new KeepapartError('save-failed', `the endpoint's answer is longer than ${maxBytes} bytes`);
  }
  return Buffer.concat(parts).toString();
}
