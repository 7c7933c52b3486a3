import type { DeadLetter } from '../../contracts/api/dead-letters';

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

/** An error text with a `#` where ids, numbers and quoted values stand. */
export function errorKind(error: string | null): string {
  if (error === null) return 'no error was reported';
  return error
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '#')
    .replaceAll(/"[^"]{0,200}"/g, '#')
    .replaceAll(/\b\d[\d.:,_-]*/g, '#');
}
