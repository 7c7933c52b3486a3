/*
 * How many columns of a terminal a text takes: two for East Asian characters and emoji, none for marks that combine with the
 * character before. Terminals differ in details; for these, a table may be a column off.
 */

const TWO_COLUMNS =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u;
const NO_COLUMN = /^[\p{M}\u200d\ufe0f]/u;
const ONLY_ASCII = /^[\x20-\x7e]*$/;

export function widthOf(text: string): number {
  if (ONLY_ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

function columnsOf(character: string): number {
  if (NO_COLUMN.test(character)) return 0;
  return TWO_COLUMNS.test(character) ? 2 : 1;
}

/** Fills a text up with spaces, behind it or, for figures, in front of it. */
export function padded(text: string, width: number, toTheRight: boolean): string {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(text)));
  return toTheRight ? spaces + text : text + spaces;
}

/** A text in lines of at most `width` columns, broken at spaces where there are some. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > width) {
    const fits = startOf(rest, width);
    const space = rest.lastIndexOf(' ', fits.length);
    const end = space > 0 ? space : fits.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(space > 0 ? end + 1 : end);
  }
  return [...lines, rest];
}

/** As much of the beginning of a text as fits, but at least one character. */
function startOf(text: string, width: number): string {
  let start = '';
  let taken = 0;
  for (const character of text) {
    taken += columnsOf(character);
    if (taken > width && start !== '') break;
    start += character;
  }
  return start;
}
