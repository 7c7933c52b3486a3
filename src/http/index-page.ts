import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { HttpDeps } from './deps';
import type { Routes, ServedOperation } from './routing';

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:light-dark(#0b57d0,#9ec1ff);--dim:light-dark(#555,#aaa)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:2.5rem 1.25rem 4rem;font:1rem/1.55 system-ui,sans-serif;
background:light-dark(#fff,#16181c);color:light-dark(#1b1d21,#e6e7ea)}
h1{margin:0;font-size:1.9rem;letter-spacing:-.02em}
h2{margin:2.4rem 0 .6rem;font-size:1.1rem}
p{margin:.3rem 0 .8rem;max-width:44rem}
.dim{color:var(--dim)}
a{color:var(--link)}
code,pre{font:.875rem/1.5 ui-monospace,monospace}
pre{margin:.5rem 0;padding:.85rem 1rem;overflow-x:auto;background:var(--soft);border:1px solid var(--line);
border-radius:.5rem}
dl{display:grid;grid-template-columns:minmax(15rem,auto) 1fr;margin:0;border-top:1px solid var(--line)}
dt,dd{margin:0;padding:.5rem 1rem .5rem 0;border-bottom:1px solid var(--line)}
@media(max-width:40rem){dl{grid-template-columns:1fr}dt{border:0;padding-bottom:0}}
`;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * `GET /`: what is where, for whoever opens the address in a browser.
 * @param operations asked at each request, when all routes are there
 */
export function serveIndex(
  routes: Routes,
  { apiKeys, webUiUrl }: HttpDeps,
  operations: () => readonly ServedOperation[],
): void {
  const getIndex: RequestHandler = (req, res) => {
    const page = indexPage({
      operations: operations(),
      baseUrl: `${req.protocol}://${req.get('host') ?? '127.0.0.1:3000'}`,
      needsKey: apiKeys.length > 0,
      ...(webUiUrl !== undefined && { webUiUrl }),
    });
    res.set('Content-Security-Policy', POLICY).type('html').send(page);
  };
  routes.serve('/', { get: { right: 'none', handle: getIndex, describe: 'page' } });
}

interface IndexOptions {
  operations: readonly ServedOperation[];
  baseUrl: string;
  needsKey: boolean;
  webUiUrl?: string;
}

/** The page; whatever comes from outside is escaped here. */
function indexPage(options: IndexOptions): string {
  const base = escapeHtml(options.baseUrl);
  const key = options.needsKey ? ` \\\n  -H 'Authorization: Bearer YOUR-KEY'` : '';
  const rows = options.operations.map(({ method, path, right, params, summary }) => {
    const name = `<code>${method.toUpperCase()} ${escapeHtml(path)}</code>`;
    // A browser that follows a link sends no key.
    const canFollow = method === 'get' && params === undefined && (right === 'none' || !options.needsKey);
    return `<dt>${canFollow ? `<a href="${path}">${name}</a>` : name}</dt><dd>${escapeHtml(summary)}</dd>`;
  });
  const webUi = options.webUiUrl
    ? `<p>Every batch is a workflow: see them at work in <a href="${escapeHtml(options.webUiUrl)}">Temporal’s Web UI</a>.</p>`
    : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>keepapart</title>
<style>${STYLE}</style>
</head>
<body>
<h1>keepapart</h1>
<p class="dim">Durable micro-batching that keeps conflicting records apart.</p>
${webUi}
<h2>Try it</h2>
<pre>curl -i ${base}/v1/records${key} \\
  -H 'Content-Type: application/json' -d '[1,2,3,4]'</pre>
<p>The answer names the request. By default <code>1</code> and <code>2</code> are kept apart: look for them in different files. How things stand:</p>
<pre>curl ${base}/v1/status${key}</pre>
<h2>Calls</h2>
<dl>
${rows.join('\n')}
</dl>
<p>Each with what it takes and answers, and to try out: <a href="/docs">the HTTP API</a>, from its <a href="/openapi.json">OpenAPI description</a>.</p>
<h2>More</h2>
<p>Errors are problem details (RFC 9457); each <code>type</code> has a section in <code>docs/ERRORS.md</code>.</p>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
