import type { Argument, Option } from 'commander';

/*
 * Words that the shell offers for the value of an option or argument. Apart from commander's choices, which would also refuse
 * all other values before the configuration is read as a whole.
 */

const SUGGESTED = new WeakMap<Argument | Option, readonly string[]>();

/** Offers these words for a value. */
export function suggest<T extends Argument | Option>(of: T, words: readonly string[]): T {
  SUGGESTED.set(of, words);
  return of;
}

/** The words to offer for a value: the only ones that are accepted, or some of them. */
export function suggestedWords(of: Argument | Option): readonly string[] {
  return of.argChoices ?? SUGGESTED.get(of) ?? [];
}
