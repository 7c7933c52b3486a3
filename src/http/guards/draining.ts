import { KeepapartError } from '../../domain/errors';
import type { Step } from '../steps';

/** While this process is shutting down, makes clients reconnect, which leads them to another process. */
export function closeWhileDraining(isDraining: () => boolean): Step {
  return (_req, res) => {
    if (isDraining()) res.setHeader('Connection', 'close');
  };
}

/** Refuses everything but reads while this process is shutting down. Throws `not-ready`. */
export function refuseWhileDraining(isDraining: () => boolean): Step {
  return (req) => {
    if (isDraining() && req.method !== 'GET' && req.method !== 'HEAD')
      throw new KeepapartError('not-ready', 'This process is about to stop; nothing was taken');
  };
}
