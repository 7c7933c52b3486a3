import type { RequestHandler } from 'express';
import { KeepapartError } from '../domain/errors';

/** Tells clients to reconnect, which leads them to another process, while this one is about to stop. */
export function closeWhileDraining(isDraining: () => boolean): RequestHandler {
  return (_req, res, next) => {
    if (isDraining()) res.set('Connection', 'close');
    next();
  };
}

/** Takes nothing new while this process is about to stop; reading goes on. Throws `not-ready`. */
export function refuseWhileDraining(isDraining: () => boolean): RequestHandler {
  return (req, _res, next) => {
    if (isDraining() && req.method !== 'GET' && req.method !== 'HEAD')
      throw new KeepapartError('not-ready', 'This process is about to stop; nothing was taken');
    next();
  };
}
