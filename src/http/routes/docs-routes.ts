import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RequestHandler } from 'express';
import type { HttpDeps } from '../deps';
import type { ApiDescription } from './openapi-document';
import type { Routes } from './routing';

/** Sends nothing anywhere: no badge of a validator, no fonts, no requests but to here. */
const SCRIPT = `
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
addEventListener('load', () => {
  SwaggerUIBundle({
    url: '/openapi.json',
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
 * `GET /openapi.json`, and `GET /docs` to read it and to try it out. Neither asks for a key, as neither tells a record.
 * @param describe asked at the first request for it, when all routes are there
 */
export function serveDocs(routes: Routes, { docsAssets }: HttpDeps, describe: () => ApiDescription): void {
  let description: string | undefined;
  const getDescription: RequestHandler = (_req, res) => {
    description ??= JSON.stringify(describe());
    res.type('json').send(description);
  };
  const getPage: RequestHandler = (_req, res) => {
    res.set('Content-Security-Policy', POLICY).type('html').send(PAGE);
  };
  routes.serve('/openapi.json', { get: { right: 'none', handle: getDescription, describe: 'page' } });
  routes.serve('/docs', { get: { right: 'none', handle: getPage, describe: 'page' } });
  for (const [asset, type] of Object.entries(ASSETS)) {
    // From memory: a file that is open for each answer stays open when its client goes.
    let content: Buffer | undefined;
    const getAsset: RequestHandler = (_req, res) => {
      content ??= readFileSync(path.join(docsAssets, asset));
      res.set('Cache-Control', 'public, max-age=3600').type(type).send(content);
    };
    routes.serve(`/docs/${asset}`, { get: { right: 'none', handle: getAsset, describe: 'page' } });
  }
}
