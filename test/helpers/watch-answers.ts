import type { RequestListener } from 'node:http';
import { pathOf } from '../../src/http/request-log';
import { ourDocumentedApi, type DocumentedApi } from './documented-api';

let api: DocumentedApi;
const undescribed: string[] = [];

/**
 * Holds every answer that an app gives in this test file against `/openapi.json`: the test fails in which it gives one
 * that is not described. Has to be called while the file is loaded or later, and imported at its top.
 */
export function watchAnswers(app: RequestListener): RequestListener {
  return (req, res) => {
    const { method = '', url = '' } = req;
    const path = pathOf(url);
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
    app(req, res);
  };
}

beforeAll(async () => {
  api = await ourDocumentedApi();
});
afterEach(() => expect(undescribed.splice(0)).toEqual([]));
