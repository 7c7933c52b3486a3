import {
  createServer,
  request as requestHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import express from 'express';
import { KeepapartError } from '../domain/errors';
import { refuseCrossOrigin } from './guards/cross-origin';
import { fixedHeaders } from './guards/headers';
import { requireHost } from './guards/host';
import { lastHandler, notFound, problemResponse } from './problems/problem-response';
import { serveDashboard } from './routes/dashboard-routes';
import { createRoutes } from './routes/routing';
import { inOrder } from './steps';
import pino from 'pino';

export interface LocalDashboardOptions {
  /** Address of the API to show, without a trailing slash. */
  apiUrl: string;
  /** Whether that API requires a key; the page then asks its user for one. None is added here. */
  needsKey: boolean;
  version: string;
  /** Folder of the built dashboard. */
  uiAssets: string;
  /** On the loopback interface; 0 picks a free one. */
  port: number;
}

const LOOPBACK = '127.0.0.1';
const MAX_CONNECTIONS = 64;

/** Requests that are forwarded; everything else of the page is served from here. */
const API_PATHS = /^\/(v1\/|docs(\/|$)|openapi\.json$)/;

/** Headers of one connection, and those with which browsers report the origin, which was checked here. */
const NOT_HANDED_ON =
  /^(connection|keep-alive|transfer-encoding|te|trailer|upgrade|proxy-.*|host|origin|referer|sec-.*|cookie)$/;

/**
 * Serves this release's dashboard for an API elsewhere: the page locally, its calls forwarded. Accepts only requests
 * for addresses and localhost, and no changes from pages of other origins.
 */
export async function startLocalDashboard(
  options: LocalDashboardOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const { apiUrl, needsKey, port, ...assets } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(inOrder(fixedHeaders({}), requireHost([]), refuseCrossOrigin));
  app.use((req, res, next) => {
    if (API_PATHS.test(req.path)) handOn(req, res, apiUrl);
    else next();
  });
  serveDashboard(createRoutes(app, ''), { ...assets, keys: needsKey ? 'required' : 'none' });
  app.use(notFound, lastHandler(problemResponse(pino({ level: 'silent' }))));
  const server = createServer(app);
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, LOOPBACK, resolve);
  });
  return {
    url: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function handOn(req: IncomingMessage, res: ServerResponse, apiUrl: string): void {
  const target = new URL(`${apiUrl}${req.url ?? '/'}`);
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  const there = send(target, { method: req.method ?? 'GET', headers: handedOn(req.headers) });
  there.once('response', (answer) => {
    res.writeHead(answer.statusCode ?? 502, handedOn(answer.headers));
    // A broken answer is cut here as well, so that nobody mistakes a part of it for the whole.
    pipeline(answer, res, () => undefined);
  });
  there.on('error', () => {
    if (res.headersSent) res.destroy();
    else {
      const error = new KeepapartError('temporal-unavailable', `The API at ${apiUrl} can't be reached`);
      problemResponse(pino({ level: 'silent' }))(error, req, res);
    }
  });
  res.once('close', () => there.destroy());
  req.pipe(there);
}

function handedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_HANDED_ON.test(name)));
}
