import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';

/** A step before a request's route; it refuses the request by throwing. Synchronous. */
export type Step = (req: IncomingMessage, res: ServerResponse) => void;

/** These steps, in this order, as one handler: Express takes time between handlers, and there are ten steps. */
export function inOrder(...steps: Step[]): RequestHandler {
  return (req, res, next) => {
    for (const step of steps) step(req, res);
    next();
  };
}
