import { colours } from './colours';

/** Longer values are cut in a table; `--json` has them whole. */
const MAX_CELL = 60;
const GAP = '  ';
/** The least that a column is narrowed to. */
const MIN_WIDTH = 20;

/**
 * Rows under a dim head, columns side by side; those named in `right` stand at the right. On a terminal that is too
 * narrow, the widest column is wrapped; elsewhere each row is one line, whatever its length.
 */
export function table(
  rows: readonly string[][],
  right: readonly number[] = [],
  terminalWidth = process.stdout.isTTY ? process.stdout.columns : Infinity,
): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0),
  );
  const whole = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  const widest = widths.indexOf(widths.reduce((most, width) => Math.max(most, width), 0));
  const narrowed = Math.max(MIN_WIDTH, (widths[widest] ?? 0) - Math.max(0, whole - terminalWidth));
  if (whole > terminalWidth) widths[widest] = narrowed;

  const lineOf = (cells: readonly string[]) =>
    widths
      .map((width, i) =>
        right.includes(i) ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width),
      )
      .join(GAP)
      .trimEnd();
  const linesOf = (row: readonly string[]): string[] => {
    const pieces = piecesOf(row[widest] ?? '', widths[widest] ?? 0);
    return pieces.map((piece, line) =>
      lineOf(widths.map((_, i) => (i === widest ? piece : line === 0 ? (row[i] ?? '') : ''))),
    );
  };
  return rows
    .flatMap((row, i) => linesOf(row).map((text) => (i === 0 ? colours.dim(text) : text)))
    .join('\n');
}

/** A text in pieces of at most `width` characters, cut behind spaces where there are some. */
function piecesOf(text: string, width: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const end = space > 0 ? space : width;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(space > 0 ? end + 1 : end);
  }
  return [...pieces, rest];
}

/** A value as it may stand in a table: short, and nothing in it moves the terminal. */
export function cut(text: string): string {
  const shown = plain(text);
  return shown.length > MAX_CELL ? `${shown.slice(0, MAX_CELL - 1)}…` : shown;
}

/** Without control characters, which a store's error or a record may hold. */
export function plain(text: string): string {
  return text.replace(/\p{C}/gu, ' ');
}

/** JSON whose texts can't move a terminal: what JSON leaves as it is of control and formatting characters is escaped. */
export function jsonText(value: unknown, indent?: number): string {
  const escaped = (text: string) =>
    Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join('');
  // Line ends are those of the indentation: JSON escapes all others.
  return JSON.stringify(value, null, indent).replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

/** A count with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 record`, `2,000 records`. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

/** A share of 1, in percent. */
export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

/** Prints a result: as JSON with `--json`, else as `render` makes it. */
export function print<T>(
  flags: Readonly<Record<string, unknown>>,
  value: T,
  render: (value: T) => string,
): void {
  process.stdout.write(flags['json'] === true ? `${jsonText(value, 2)}\n` : render(value));
}
