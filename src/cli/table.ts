import { colours } from './colours';

/** Longer texts are cut in a table; `--json` has them whole. */
const MAX_CELL = 60;

/** Rows under a dim head, columns side by side; those named in `right` stand at the right. */
export function table(rows: readonly string[][], right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((text, i) => (i === 0 ? colours.dim(text) : text)).join('\n');
}

/** A text as it may stand in a table: short, and nothing in it moves the terminal. */
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
