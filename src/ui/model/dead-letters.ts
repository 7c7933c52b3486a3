import type { DeadLetter } from '../../contracts/api/answers/dead-letters';
import { errorKind } from '../../domain/error-kind';

/** Dead letters that failed alike. */
export interface LetterGroup {
  /** The error without what differs from record to record. */
  error: string;
  letters: DeadLetter[];
}

/** By error, the largest group first; within one as they came. */
export function groupLetters(letters: readonly DeadLetter[]): LetterGroup[] {
  const groups = new Map<string, DeadLetter[]>();
  for (const letter of letters) {
    const error = errorKind(letter.error);
    const group = groups.get(error);
    if (group) group.push(letter);
    else groups.set(error, [letter]);
  }
  return [...groups]
    .map(([error, letters]) => ({ error, letters }))
    .sort((a, b) => b.letters.length - a.letters.length);
}
