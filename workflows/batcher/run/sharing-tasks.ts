import { KIB } from '../../../src/domain/duration';

/** Messages are close together if their tasks begin within this time. */
const CLOSE_MS = 100;

/** A task with more bytes than this is not shared: the server writes twice what it keeps for a task. */
const MUCH_BYTES = 32 * KIB;

/** Maximum delay of a task's decisions, and of the answer to a question asked meanwhile. */
export const HOLD_MS = 40;

/** The state of a run after its loop looked at everything, and the result of that look. */
export interface Look {
  /** Accepted by the run so far. */
  messages: number;
  /** Size of the run so far, in bytes. */
  historySize: number;
  /** Whether it did anything that others wait for: a start, a timer, an answer to an update. */
  acted: boolean;
}

/**
 * Lets messages that arrive close together share a workflow task. Each would cause a task of its own: three writes of
 * the server and three events, while the message alone is one of each. But the server durably keeps what arrives during
 * a task for the next one. So a task with nothing but small messages, soon after another one with messages, is answered
 * a little later. Nobody waits for that: the message is acknowledged, not the task.
 * @param hold makes the worker answer the current task this many milliseconds later
 * @returns to be called after each look, once everything it caused is done
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
