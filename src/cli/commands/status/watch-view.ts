import type { StatusView, WaitsView } from '../../../client';
import type { Point } from '../../../contracts/api/answers/live';
import { pointOf, type Reading } from '../../../contracts/api/live-points';
import { sentenceOf, type Mood, type Sentence } from '../../../contracts/api/sentence';
import { bytes, clock, count, duration } from '../../../domain/format';
import { colours } from '../../terminal/colours';
import { plain } from '../../terminal/text';
import { renderStatus } from './status-table';

/** How many readings a line of bars shows. */
const READINGS = 60;
const NAME_WIDTH = 14;
const FIGURE_WIDTH = 10;

/** What one look has seen. */
export interface Look extends Reading {
  waits: WaitsView;
}

/** A clock, why things are as they are, the last minute as lines of bars, and the table of shards. */
export class WatchView {
  private points: Point[] = [];
  private last: Look | undefined;
  private table = '';

  /** @param url where the API is */
  constructor(private readonly url: string) {}

  /** The view with one more look. */
  seen(look: Look): string {
    const point = pointOf(look, this.last, look.waits);
    this.points = [...this.points, point].slice(-READINGS);
    this.table = renderStatus(look, this.last);
    this.last = look;
    const sentence = sentenceOf(look, this.points, look.waits);
    return [this.headOf(clock(look.atMs), sentence), ...this.plots(look.status), this.table].join('\n');
  }

  /** The view while there is no answer: what was seen last, with its time, and the reason. */
  unseen(atMs: number, reason: Pick<Sentence, 'head' | 'text'>): string {
    const asOf = this.last === undefined ? '' : `, figures as of ${clock(this.last.atMs)}`;
    return [this.headOf(`${clock(atMs)}${asOf}`, { ...reason, mood: 'wrong' }), this.table].join('\n');
  }

  private headOf(time: string, { mood, head, text }: Sentence): string {
    return `${colours.dim(`${this.url}, ${time}`)}\n${PAINT[mood](head)}: ${plain(text)}.\n`;
  }

  private plots({ total, settings, shards }: StatusView): string[] {
    const latest = this.points.at(-1);
    const lines: [name: string, now: string, of: (point: Point) => number | null][] = [
      ['accepted/s', rate(latest?.accepted), ({ accepted }) => accepted],
      ['saved/s', rate(latest?.saved), ({ saved }) => saved],
      ['rolled back/s', rate(latest?.rolledBack), ({ rolledBack }) => rolledBack],
      ['buffered', count(total.bufferedRecords), ({ buffered }) => buffered],
      [
        'oldest',
        total.oldestAgeMs === null ? '–' : duration(total.oldestAgeMs),
        (point) => point.oldestAgeMs,
      ],
    ];
    const slots = `${count(total.inFlight)} of ${count(settings.maxInFlight * shards.length)} batches in flight`;
    return [
      ...lines.map(([name, now, of]) =>
        `${colours.dim(name.padEnd(NAME_WIDTH))}${now.padStart(FIGURE_WIDTH)}  ${sparkline(this.points.map(of), READINGS)}`.trimEnd(),
      ),
      `${''.padEnd(NAME_WIDTH + FIGURE_WIDTH)}  ${colours.dim(`${bytes(total.bufferedBytes)} buffered, ${slots}`)}`,
      '',
    ];
  }
}

const PAINT: Record<Mood, (text: string) => string> = {
  idle: colours.bold,
  well: colours.green,
  busy: colours.yellow,
  held: colours.yellow,
  wrong: colours.red,
};

function rate(perSecond: number | null | undefined): string {
  return perSecond === null || perSecond === undefined ? '–' : perSecond.toFixed(1);
}

const BARS = '▁▂▃▄▅▆▇█';

/** The latest figures as a line of bars, the highest at full height; what isn't known is a space. */
function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width);
  const most = shown.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  return shown.map((value) => (value === null ? ' ' : barOf(value, most))).join('');
}

function barOf(value: number, most: number): string {
  const height = most === 0 ? 0 : Math.ceil((value / most) * (BARS.length - 1));
  return BARS[height] ?? '';
}
