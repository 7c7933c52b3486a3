/** Longer values are shortened where they are in a line with others; `--json` has them whole. */
const MAX_SHORT = 60;

/** A value for a line of text: short, and nothing in it moves the terminal. */
export function short(text: string): string {
  const shown = plain(text);
  return shown.length > MAX_SHORT ? `${shown.slice(0, MAX_SHORT - 1)}…` : shown;
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
