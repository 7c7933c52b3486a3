import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';

/** Something that is done about each request before its route: what doesn't want it throws. Never waits. */
export type Step = (req: IncomingMessage, res: ServerResponse) => void;

/** Steps in this order as one handler: Express takes its time from one handler to the next, and we have ten. */
export function inOrder(...steps: Step[]): RequestHandler {
  return (req, res, next) => {
    for (const step of steps) step(req, res);
    next();
  };
}
