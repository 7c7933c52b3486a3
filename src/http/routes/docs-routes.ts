import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RequestHandler } from 'express';
import type { HttpDeps } from '../deps';
import { escapeHtml, mountOf } from '../mount';
import type { ApiDescription } from './openapi-document';
import type { Routes } from './routing';

/** Loads and sends nothing elsewhere: no validator badge, no fonts, requests only to this API. */
const SCRIPT = `
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
addEventListener('load', () => {
  SwaggerUIBundle({
    url: location.pathname.replace(/\\/docs\\/*$/, '') + '/openapi.json',
    dom_id: '#docs',
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
  });
});
`;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>keepapart: the HTTP API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script>${SCRIPT}</script>
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
</body>
</html>
`;

/** Images: Swagger UI draws them in data URLs. */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`,
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What the page loads, by name, with its type. */
const ASSETS = { 'swagger-ui.css': 'css', 'swagger-ui-bundle.js': 'js' } as const;

/**
 * `GET /openapi.json`, and `GET /docs` to read it and to try it out. Neither requires a key, because neither contains a
 * record.
 * @param describe called at the first request, when all routes are known
 */
export function serveDocs(
  routes: Routes,
  { docsAssets }: HttpDeps,
  describe: (mount: string) => ApiDescription,
): void {
  let description: { mount: string; text: string } | undefined;
  const getDescription: RequestHandler = (req, res) => {
    const mount = mountOf(req);
    if (description?.mount !== mount) description = { mount, text: JSON.stringify(describe(mount)) };
    res.type('json').send(description.text);
  };
  const getPage: RequestHandler = (req, res) => {
    const page = PAGE.replaceAll('"/docs/', `"${escapeHtml(mountOf(req))}/docs/`);
    res.set('Content-Security-Policy', POLICY).type('html').send(page);
  };
  routes.serve('/openapi.json', { get: { right: 'none', handle: getDescription, describe: 'page' } });
  routes.serve('/docs', { get: { right: 'none', handle: getPage, describe: 'page' } });
  for (const [asset, type] of Object.entries(ASSETS)) {
    // From memory: a file opened per answer would stay open when its client disconnects.
    let content: Buffer | undefined;
    const getAsset: RequestHandler = (_req, res) => {
      content ??= readFileSync(path.join(docsAssets, asset));
      res.set('Cache-Control', 'public, max-age=3600').type(type).send(content);
    };
    routes.serve(`/docs/${asset}`, { get: { right: 'none', handle: getAsset, describe: 'page' } });
  }
}
