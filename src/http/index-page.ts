import { createHash } from 'node:crypto';
import type { RequestHandler, Router } from 'express';
import type { HttpDeps } from './deps';
import { serve } from './routing';

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

/** What can be called; a link where a browser can follow it (which sends no key). */
const CALLS: readonly { call: string; does: string; link?: string }[] = [
  { call: 'POST /v1/records', does: 'takes a list of records; 202 once they are kept' },
  { call: 'GET /v1/requests/{requestId}', does: 'where each record of a list is, and how it ended' },
  {
    call: 'GET /v1/batches',
    does: 'the batches, newest first: ?state=, ?limit=, ?cursor=',
    link: '/v1/batches',
  },
  { call: 'GET /v1/batches/{batchId}', does: 'one batch with its records and outcomes' },
  { call: 'GET /v1/status', does: 'what is buffered, in flight, saved, rolled back', link: '/v1/status' },
  { call: 'POST /v1/flush', does: 'lets everything that is buffered go now' },
  { call: 'POST /v1/pause, /v1/resume', does: 'holds new batches back, and lets them go again' },
  {
    call: 'POST /v1/drain',
    does: 'lets everything that is buffered go, and waits until it has its outcome',
  },
  { call: 'GET /v1/dead-letters', does: 'the records that were rolled back', link: '/v1/dead-letters' },
  { call: 'POST /v1/dead-letters/redrive', does: 'sends some of them, or all, again' },
  { call: 'GET /healthz', does: 'whether the process is up', link: '/healthz' },
  { call: 'GET /readyz', does: 'whether it takes records and Temporal answers', link: '/readyz' },
];

/** `GET /`: what is where, for whoever opens the address in a browser. */
export function serveIndex(router: Router, { apiKeys, webUiUrl }: HttpDeps): void {
  const getIndex: RequestHandler = (req, res) => {
    const page = indexPage({
      baseUrl: `${req.protocol}://${req.get('host') ?? '127.0.0.1:3000'}`,
      needsKey: apiKeys.length > 0,
      ...(webUiUrl !== undefined && { webUiUrl }),
    });
    res.set('Content-Security-Policy', POLICY).type('html').send(page);
  };
  serve(router, '/', { get: { right: 'none', handle: getIndex } });
}

/** The page; whatever comes from outside is escaped here. */
export function indexPage(options: { baseUrl: string; needsKey: boolean; webUiUrl?: string }): string {
  const base = escapeHtml(options.baseUrl);
  const key = options.needsKey ? ` \\\n  -H 'Authorization: Bearer YOUR-KEY'` : '';
  const rows = CALLS.map(({ call, does, link }) => {
    const name = `<code>${escapeHtml(call)}</code>`;
    return `<dt>${link && !options.needsKey ? `<a href="${link}">${name}</a>` : name}</dt><dd>${escapeHtml(does)}</dd>`;
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
<h2>More</h2>
<p>Errors are problem details (RFC 9457); each <code>type</code> has a section in <code>docs/ERRORS.md</code>.</p>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
