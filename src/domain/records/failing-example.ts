import { isRedriveId } from '../redrive';
import { idempotencyKeyOf } from '../scope';

/*
 * The dashboard's first example can be sent so that saves fail. Which records those are is part of their id, so nothing
 * has to be switched on, and nothing off again: no other record is touched, in whichever process it is saved.
 */

/** Start of the Idempotency-Key of a request whose saves are to fail. */
export const FAILING_EXAMPLE = 'failing-example-';

/** Share of its save attempts that fail. With three attempts each, about half of its records are rolled back. */
export const FAILING_EXAMPLE_RATE = 0.8;

/** Whether a record was sent to see saves fail. */
export function isOfFailingExample(recordId: string): boolean {
  // Sent again, it has another id, and is saved.
  return !isRedriveId(recordId) && idempotencyKeyOf(recordId).startsWith(FAILING_EXAMPLE);
}
