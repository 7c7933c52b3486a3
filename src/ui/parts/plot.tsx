import { useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { clock } from '../model/format';
import { KEPT_MS, type Point } from '../model/history';
import { isDark } from '../preferences';

/** One line of a plot. */
export interface Line {
  label: string;
  /** Of the theme, `--<colour>`. */
  colour: 'accepted' | 'saved' | 'lost' | 'wait' | 'flight' | 'dim';
  value: (point: Point) => number | null;
  /** Fills the area below. */
  isArea?: boolean;
  /** A bound that the others are held against. */
  isBound?: boolean;
}

interface PlotProps {
  title: string;
  lines: readonly Line[];
  points: ReadonlySignal<readonly Point[]>;
  /** How a value reads. */
  format: (value: number) => string;
}

const HEIGHT = 150;
/** Shorter than that, a plot would be mostly empty. */
const LEAST_SPAN_S = 60;
/** Rows of the table behind a plot: the newest. */
const TABLE_ROWS = 30;

/** Lines over time, with what they are at the cursor or now, and the same as a table. */
export function Plot({ title, lines, points, format }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const at = useSignal<number | undefined>(undefined);
  const dark = isDark();

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const drawn = new uPlot(
      optionsOf(lines, format, element, (index) => (at.value = index)),
      dataOf(lines, points.peek()),
      element,
    );
    chart.current = drawn;
    const resized = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    const stop = points.subscribe((now) => drawn.setData(dataOf(lines, now)));
    return () => {
      stop();
      resized.disconnect();
      drawn.destroy();
    };
    // Colours are drawn, so another theme is another picture; lines stay what they are.
  }, [dark]);

  const shown = points.value;
  const point = shown[at.value ?? shown.length - 1];
  return (
    <section class="card plot" aria-label={title}>
      <h3>{title}</h3>
      <ul class="legend">
        {lines.map((line) => {
          const value = point === undefined ? null : line.value(point);
          return (
            <li key={line.label} data-colour={line.colour} data-bound={line.isBound}>
              {line.label} <b>{value === null ? '–' : format(value)}</b>
            </li>
          );
        })}
      </ul>
      <div ref={box} class="canvas" aria-hidden="true" />
      <details>
        <summary>Table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">At</th>
                {lines.map(({ label }) => (
                  <th scope="col" class="number" key={label}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown
                .slice(-TABLE_ROWS)
                .reverse()
                .map((row) => (
                  <tr key={row.atMs}>
                    <td>{clock(row.atMs)}</td>
                    {lines.map((line) => {
                      const value = line.value(row);
                      return (
                        <td class="number" key={line.label}>
                          {value === null ? '–' : format(value)}
                        </td>
                      );
                    })}
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

function dataOf(lines: readonly Line[], points: readonly Point[]): uPlot.AlignedData {
  return [points.map(({ atMs }) => atMs / 1000), ...lines.map(({ value }) => points.map(value))];
}

function optionsOf(
  lines: readonly Line[],
  format: (value: number) => string,
  element: HTMLElement,
  pointAt: (index: number | undefined) => void,
): uPlot.Options {
  const text = colourOf('text-dim');
  const grid = { stroke: colourOf('line'), width: 1 };
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  return {
    width: element.clientWidth || 300,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    padding: [8, 4, 0, 0],
    scales: {
      x: {
        range: (_plot, from, to) => [Math.max(Math.min(from, to - LEAST_SPAN_S), to - KEPT_MS / 1000), to],
      },
      y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        stroke: text,
        font,
        grid: { show: false },
        ticks: { show: false },
        size: 24,
        space: 80,
        values: (_plot, ticks) => ticks.map((s) => clock(s * 1000)),
      },
      {
        stroke: text,
        font,
        grid,
        ticks: { show: false },
        size: 52,
        space: 32,
        values: (_plot, ticks) => ticks.map(format),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour, isArea = false, isBound = false }): uPlot.Series => {
        const stroke = colourOf(colour);
        return {
          label,
          stroke,
          width: isBound ? 1 : 1.75,
          points: { show: false },
          ...(isBound && { dash: [4, 4] }),
          ...(isArea && { fill: `color-mix(in srgb, ${stroke} 16%, transparent)` }),
        };
      }),
    ],
    hooks: { setCursor: [({ cursor }) => pointAt(cursor.idx ?? undefined)] },
  };
}

/** A colour of the theme as a canvas takes it. */
function colourOf(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
