import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { RequestHandler } from 'express';
import { KeepapartError } from '../../domain/errors';
import type { HttpDeps } from '../deps';
import { escapeHtml, mountOf } from '../mount';
import type { Routes } from './routing';

/** Allows only files from here and nothing inline, and no text becomes markup or a script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const PAGE = 'index.html';

/** Names end in a hash of the content, so a browser never has to request a file again. */
const FOREVER = 'public, max-age=31536000, immutable';

export interface DashboardDeps extends Pick<
  HttpDeps,
  'uiAssets' | 'webUiUrl' | 'version' | 'failingExample'
> {
  /** Whether the page asks its user for an API key, or the embedding app identifies callers. */
  keys: 'required' | 'none' | 'host';
}

/** `GET /`: the dashboard; `GET /ui/…`: its files. Neither requires a key, because neither contains a record. */
export function serveDashboard(
  routes: Routes,
  { uiAssets, keys, webUiUrl, version, failingExample }: DashboardDeps,
): void {
  // From memory: a file opened per answer would stay open when its client disconnects. Read at the first request: an
  // API whose dashboard nobody opens needs no build.
  let files: ReadonlyMap<string, Buffer> | undefined;
  const read = () => (files ??= readFolder(uiAssets));
  let page: { mount: string; text: string } | undefined;

  const getPage: RequestHandler = (req, res) => {
    const mount = mountOf(req);
    if (page?.mount !== mount) page = { mount, text: pageAt(mount) };
    res.set('Content-Security-Policy', POLICY).type('html').send(page.text);
  };

  const pageAt = (mount: string) =>
    withFacts(
      read()
        .get(PAGE)
        ?.toString()
        .replaceAll('"/ui/', () => `"${escapeHtml(mount)}/ui/`)
        .replaceAll('"/docs"', () => `"${escapeHtml(mount)}/docs"`) ?? '',
      {
        'keepapart-version': version,
        'keepapart-mount': mount,
        'keepapart-keys': keys,
        'keepapart-temporal': webUiUrl ?? '',
        'keepapart-failing-example': failingExample ? 'offered' : '',
      },
    );

  const getAsset: RequestHandler = (req, res) => {
    const name = String(req.params['asset']);
    const content = name === PAGE ? undefined : read().get(name);
    if (content === undefined) throw new KeepapartError('not-found', 'The dashboard has no such file');
    res.set('Cache-Control', FOREVER).type(path.extname(name)).send(content);
  };

  routes.serve('/', { get: { right: 'none', handle: getPage, describe: 'page' } });
  routes.serve('/ui/:asset', { get: { right: 'none', handle: getAsset, describe: 'page' } });
}

function readFolder(folder: string): ReadonlyMap<string, Buffer> {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** The page, with what only the server knows at the end of its head. */
function withFacts(page: string, facts: Record<string, string>): string {
  const tags = Object.entries(facts).map(
    ([name, content]) => `<meta name="${name}" content="${escapeHtml(content)}">`,
  );
  return page.replace('</head>', () => `${tags.join('\n')}\n</head>`);
}
