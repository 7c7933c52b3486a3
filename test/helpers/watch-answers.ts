import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Express } from 'express';
import { ourDocumentedApi, type DocumentedApi } from './documented-api';

let api: DocumentedApi;
const undescribed: string[] = [];

/** What Express has under `app.router`, and doesn't type. */
interface Handler {
  handle(req: IncomingMessage & { path: string }, res: ServerResponse, done: unknown): void;
}

/**
 * Holds every answer that an app gives in this test file against `/openapi.json`: the test fails in which it gives one
 * that is not described. Has to be called while the file is loaded or later, and imported at its top.
 */
export function watchAnswers(app: Express): void {
  const router = app.router as unknown as Handler;
  const handle = router.handle.bind(router);
  router.handle = (req, res, done) => {
    const { method = '', path } = req;
    const chunks: Buffer[] = [];
    for (const name of ['write', 'end'] as const) {
      const send = res[name].bind(res) as (...parameters: unknown[]) => boolean;
      const keep = (...parameters: unknown[]) => {
        const [chunk] = parameters;
        if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
        return send(...parameters);
      };
      Object.assign(res, { [name]: keep });
    }
    res.once('finish', () => {
      const headers = res.getHeaders() as Record<string, string>;
      const answer = { method, path, status: res.statusCode, headers, body: String(Buffer.concat(chunks)) };
      const result = api.outcomeOf(answer);
      if ('wrong' in result) undescribed.push(result.wrong);
    });
    handle(req, res, done);
  };
}

beforeAll(async () => {
  api = await ourDocumentedApi();
});
afterEach(() => expect(undescribed.splice(0)).toEqual([]));
