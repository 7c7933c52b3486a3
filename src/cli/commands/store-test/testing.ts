/** `keepapart/store/testing`: the contract that every store has to keep, for any test runner. */
import type { JsonValue } from '../../../domain/json';
import { CONTRACT } from '../../../store/testing/contract';
import { subjectOf } from './subject';

/** One thing that every store promises. */
export interface ContractTest {
  /** A whole sentence: what is true of the store. */
  title: string;
  /** Checks it with fresh folders; rejects with what isn't so. Takes seconds, one of them up to a minute. */
  check: () => Promise<void>;
}

/**
 * The contract tests of a store of one's own, in whatever runner. What the store writes is real: give it a database of its
 * own by its options.
 * @param module its path, from the working directory
 * @example
 * for (const { title, check } of storeContract('./my-store.mjs')) test(title, check, 120_000);
 */
export function storeContract(
  module: string,
  { options = {}, timeoutMs }: { options?: JsonValue; timeoutMs?: number } = {},
): ContractTest[] {
  return CONTRACT.map(({ title, check }) => ({
    title,
    check: async () => {
      const subject = await subjectOf({ module, options, timeoutMs });
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    },
  }));
}
