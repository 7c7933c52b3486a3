import { KeepapartError } from '../../domain/errors';
import type { Step } from '../steps';

/** Tells clients to reconnect, which leads them to another process, while this one is about to stop. */
export function closeWhileDraining(isDraining: () => boolean): Step {
  return (_req, res) => {
    if (isDraining()) res.setHeader('Connection', 'close');
  };
}

/** Takes nothing new while this process is about to stop; reading goes on. Throws `not-ready`. */
export function refuseWhileDraining(isDraining: () => boolean): Step {
  return (req) => {
    if (isDraining() && req.method !== 'GET' && req.method !== 'HEAD')
      throw new KeepapartError('not-ready', 'This process is about to stop; nothing was taken');
  };
}
