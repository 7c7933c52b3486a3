import { DAY } from '../../domain/duration';
import { clock } from '../../domain/format';
import { colours } from './colours';
import { plain } from './text';
import { padded, widthOf, wrapped } from './width';

const GAP = '  ';
/** The least that a column of text is narrowed to. */
const MIN_WIDTH = 12;
/** A cell of more lines is cut on a terminal, where it would push everything else away; `--json` has it whole. */
const MAX_LINES = 12;

/** A cell's text, or its text with a colour that says what it means. */
export type Cell = string | { text: string; paint: (text: string) => string };

/** How wide a terminal is on which a process writes; any width where nobody looks on. */
export function terminalWidth(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): number {
  return stream.isTTY ? stream.columns || 80 : Infinity;
}

/**
 * Rows under a dim head, columns side by side; those in `right` are figures, aligned to the right. On a terminal that is
 * too narrow, the widest columns are wrapped until it fits; elsewhere each row is one line with every text whole.
 */
export function table(
  rows: readonly (readonly Cell[])[],
  right: readonly number[] = [],
  maxWidth = terminalWidth(process.stdout),
): string {
  const texts = rows.map((row) => row.map((cell) => plain(typeof cell === 'string' ? cell : cell.text)));
  const widths = narrowed(columnsOf(texts, right), maxWidth);
  const lines = rows.flatMap((row, i) => {
    const cells = widths.map((width, column) => linesOf(texts[i]?.[column] ?? '', width, maxWidth));
    const height = cells.reduce((most, { length }) => Math.max(most, length), 1);
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((cell, column) => {
          const text = padded(cell[line] ?? '', widths[column] ?? 0, right.includes(column));
          return paint(row[column], column === widths.length - 1 ? text.trimEnd() : text, i === 0);
        })
        .join(GAP)
        .trimEnd(),
    );
  });
  return lines.join('\n');
}

/** How wide a column is; how narrow it may become with every word whole, and how narrow it may become at all. */
interface Column {
  width: number;
  whole: number;
  least: number;
}

function columnsOf(texts: readonly string[][], right: readonly number[]): Column[] {
  const [head = [], ...body] = texts;
  return head.map((title, column) => {
    const cells = body.map((row) => row[column] ?? '');
    const longestWord = Math.max(...title.split(' ').map(widthOf));
    const widest = mostOf(cells, widthOf);
    const width = Math.max(widthOf(title), widest);
    const inCells = right.includes(column)
      ? widest
      : mostOf(cells, (cell) => mostOf(cell.split(' '), widthOf));
    const whole = Math.min(width, Math.max(inCells, longestWord));
    const least = right.includes(column) ? whole : Math.min(whole, Math.max(MIN_WIDTH, longestWord));
    return { width, whole, least };
  });
}

function mostOf(texts: readonly string[], measure: (text: string) => number): number {
  return texts.reduce((most, text) => Math.max(most, measure(text)), 0);
}

/** The widths of the columns when the widest have given up what doesn't fit: spaces first, and words only if they must. */
function narrowed(columns: readonly Column[], maxWidth: number): number[] {
  const widths = columns.map(({ width }) => width);
  for (const limit of ['whole', 'least'] as const)
    narrow(
      widths,
      columns.map((one) => one[limit]),
      maxWidth,
    );
  return widths;
}

function narrow(widths: number[], limits: readonly number[], maxWidth: number): void {
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - maxWidth;
  while (excess > 0) {
    const open = [...widths.keys()].filter((column) => (widths[column] ?? 0) > (limits[column] ?? 0));
    const [widest, next] = open.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    if (widest === undefined) return;
    const width = widths[widest] ?? 0;
    // Down to the next one at most, so that both go on alike.
    const least = Math.max(limits[widest] ?? 0, Math.min(widths[next ?? -1] ?? 0, width - 1));
    const after = Math.max(least, width - excess);
    widths[widest] = after;
    excess -= width - after;
  }
}

function linesOf(text: string, width: number, maxWidth: number): string[] {
  if (maxWidth === Infinity) return [text];
  const lines = wrapped(text, width);
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES - 1), '…'] : lines;
}

function paint(cell: Cell | undefined, text: string, isHead: boolean): string {
  if (text.trim() === '') return text;
  if (isHead) return colours.dim(text);
  return typeof cell === 'object' ? cell.paint(text) : text;
}

/** A time for a table: on a terminal short, by its own clock, elsewhere as it is. */
export function timeText(iso: string, nowMs = Date.now(), isTerminal = process.stdout.isTTY): string {
  if (!isTerminal) return iso;
  return nowMs - Date.parse(iso) < DAY ? clock(iso) : iso.slice(0, 'YYYY-MM-DD'.length);
}
