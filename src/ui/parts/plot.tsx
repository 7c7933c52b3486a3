import { useSignal, type ReadonlySignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { clock } from '../../domain/format';
import type { Point } from '../../contracts/api/answers/live';
import { Table, type Column } from './table';
import { nearestTo, pathOf, scaleOf, type PlotArea } from '../model/plot-shape';

/** One line of a plot. */
export interface Line {
  label: string;
  /** Of the theme, `--<colour>`. */
  colour: 'accepted' | 'saved' | 'lost' | 'wait' | 'flight' | 'dim';
  value: (point: Point) => number | null;
  /** Fills the area below. */
  isArea?: boolean;
  /** What the legend and the table say, where it isn't the value. */
  told?: (point: Point) => number;
  /** A layer of a stack: filled, and drawn over those before it. */
  isLayer?: boolean;
  /** A bound that the others are held against. */
  isBound?: boolean;
}

interface PlotProps {
  title: string;
  lines: readonly Line[];
  points: ReadonlySignal<readonly Point[]>;
  /** The longest that it spans, in milliseconds. Default 15 minutes. */
  mostMs?: number;
  /** How a value reads. */
  format: (value: number) => string;
}

const HEIGHT = 120;
/** Rows of the table behind a plot: the newest. */
const TABLE_ROWS = 30;

/**
 * Lines over time, with what they are at the cursor or now, and the same as a table. SVG, so that colours follow the
 * theme; drawn here because a library for it would take a third of what the whole page may weigh.
 */
export function Plot({ title, lines, points, format, mostMs }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(300);
  const at = useSignal<number | undefined>(undefined);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const resized = new ResizeObserver(() => (width.value = Math.max(1, element.clientWidth)));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);

  const valueOf = ({ told, value }: Line, row: Point) => {
    const known = (told ?? value)(row);
    return known === null ? '–' : format(known);
  };
  const shown = points.value;
  const area = { width: width.value, height: HEIGHT };
  const drawn = scaleAndLines(shown, lines, area, mostMs);
  const { scale } = drawn;
  const point = shown[at.value ?? shown.length - 1];
  const isAt = at.value !== undefined && point !== undefined;
  return (
    <section class="card plot" aria-label={title}>
      <h2>{title}</h2>
      <ul class="legend">
        {lines.map((line) => {
          return (
            <li key={line.label} data-colour={line.colour} data-bound={line.isBound}>
              {line.label} <b>{point === undefined ? '–' : valueOf(line, point)}</b>
            </li>
          );
        })}
      </ul>
      <div
        ref={box}
        class="canvas"
        aria-hidden="true"
        onPointerMove={({ offsetX }) => (at.value = nearestTo(shown, offsetX, scale))}
        onPointerLeave={() => (at.value = undefined)}
      >
        <svg width={area.width} height={HEIGHT}>
          {[0, 0.5, 1].map((share) => (
            <path class="grid" d={`M0 ${share * HEIGHT}H${area.width}`} key={share} />
          ))}
          {drawn.lines.map((line) => (
            <g data-colour={line.colour} key={line.label}>
              {line.isLayer && <path class="layer" d={pathOf(shown, line.value, scale, HEIGHT)} />}
              {line.isArea && <path class="area" d={pathOf(shown, line.value, scale, HEIGHT)} />}
              <path class={line.isBound ? 'line bound' : 'line'} d={pathOf(shown, line.value, scale)} />
            </g>
          ))}
          {isAt && <path class="cursor" d={`M${scale.x(point.atMs)} 0V${HEIGHT}`} />}
          <text x="4" y="13">
            {format(scale.most)}
          </text>
        </svg>
        <div class="row between small dim">
          <time>{shown.length > 0 && clock(scale.fromMs)}</time>
          <time>{point && clock(isAt ? point.atMs : scale.toMs)}</time>
        </div>
      </div>
      <details>
        <summary>Table</summary>
        <Table
          label={`${title}, as a table`}
          class="scroll"
          rows={shown.slice(-TABLE_ROWS).reverse()}
          keyOf={({ atMs }) => String(atMs)}
          columns={[
            ['At', ({ atMs }) => clock(atMs)],
            ...lines.map((line): Column<Point> => [line.label, (row) => valueOf(line, row), 'number']),
          ]}
        />
      </details>
    </section>
  );
}

/** A bound that is far away would press everything else flat: then it is told in the legend alone. */
const FAR = 5;

function scaleAndLines(points: readonly Point[], lines: readonly Line[], area: PlotArea, mostMs?: number) {
  const scaled = (shown: readonly Line[]) => ({
    lines: shown,
    scale: scaleOf(
      points,
      shown.map(({ value }) => value),
      area,
      mostMs,
    ),
  });
  const [all, inner] = [scaled(lines), scaled(lines.filter(({ isBound }) => !isBound))];
  return all.scale.most > FAR * inner.scale.most ? inner : all;
}
