import { KIB } from '../../src/domain/duration';

/** Messages come close on one another when their tasks begin within so much time. */
const CLOSE_MS = 100;

/** Beyond so many bytes, what a task brought was worth a task: the server writes what it keeps for a task twice. */
const MUCH_BYTES = 32 * KIB;

/** What a task decides is late by as much at most, and so is the answer to a question that is asked meanwhile. */
export const HOLD_MS = 40;

/** How a run stands when the loop of its batcher has looked at everything, and what that look came to. */
export interface Look {
  /** Taken by the run so far. */
  messages: number;
  /** Of the run so far, in bytes. */
  historySize: number;
  /** Whether it did anything that others wait for: a start, a timer, the answer to an update. */
  acted: boolean;
}

/**
 * Has messages that come close on one another share workflow tasks. Each would bring a task of its own: three writes of
 * the server and three events, where the message alone is one of either. But what arrives while a task is worked on the
 * server keeps, durable, for the next one. So a task that brought nothing but small messages, soon after another that
 * brought some, is answered a little later. Nobody waits for that: what is acknowledged is the message, not the task.
 * @param hold has the worker answer the current task so many milliseconds later
 * @returns to be told of each look, once all that it brought is done
 */
export function createTaskSharing(hold: (ms: number) => void): (look: Look, nowMs: number) => void {
  let last = { messages: 0, historySize: 0 };
  let lastMessagesAtMs = -Infinity;
  return ({ messages, historySize, acted }, nowMs) => {
    const bytes = historySize - last.historySize;
    const isNews = messages > last.messages;
    last = { messages, historySize };
    if (!isNews) return;
    const isClose = nowMs - lastMessagesAtMs < CLOSE_MS;
    lastMessagesAtMs = nowMs;
    if (isClose && bytes < MUCH_BYTES && !acted) hold(HOLD_MS);
  };
}
