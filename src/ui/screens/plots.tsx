import { computed, signal } from '@preact/signals';
import type { Point } from '../../contracts/api/answers/live';
import { SECONDS_KEPT_MS } from '../../contracts/api/live-points';
import { HOUR } from '../../domain/duration';
import { clock, count, duration, percent } from '../../domain/format';
import { edgeOf, mostRefused, waitingFor, WAIT_GROUPS } from '../model/stack';
import { Plot, type Line } from '../parts/plot';
import { points, reading, rememberedSinceMs, tens } from '../source';

type Range = 'minutes' | 'hours';
const range = signal<Range>('minutes');
const RANGES = {
  minutes: { text: '15 min', mostMs: SECONDS_KEPT_MS },
  hours: { text: '6 h', mostMs: 6 * HOUR },
};

const shown = computed((): readonly Point[] => {
  if (range.value === 'minutes') return points.value;
  const last = points.value.at(-1);
  return last === undefined ? tens.value : [...tens.value, last];
});

const RATES: Line[] = [
  { label: 'accepted', colour: 'accepted', value: ({ accepted }) => accepted },
  { label: 'saved', colour: 'saved', value: ({ saved }) => saved, isArea: true },
  { label: 'rolled back', colour: 'lost', value: ({ rolledBack }) => rolledBack },
];
const AGE: Line[] = [
  { label: 'oldest buffered', colour: 'wait', value: ({ oldestAgeMs }) => oldestAgeMs, isArea: true },
  { label: 'oldest due', colour: 'lost', value: ({ dueAgeMs }) => dueAgeMs },
];
/** Layers, the highest first, so that those below are drawn over it. */
const BUFFER: Line[] = WAIT_GROUPS.map(({ label, colour }, group): Line => ({
  label,
  colour,
  value: (point) => edgeOf(point, group),
  told: (point) => waitingFor(point, group),
  isLayer: true,
})).reverse();
const FLIGHT: Line[] = [
  { label: 'in flight', colour: 'flight', value: ({ inFlight }) => inFlight, isArea: true },
  { label: 'bound', colour: 'dim', value: () => boundInFlight(), isBound: true },
];
const FILL: Line[] = [{ label: 'fill', colour: 'saved', value: ({ fill }) => fill, isArea: true }];
const CUTS: Line[] = [
  { label: 'batches', colour: 'flight', value: ({ batches }) => batches },
  { label: 'fewest possible', colour: 'dim', value: ({ lowerBound }) => lowerBound, isBound: true },
];
const COMMIT: Line[] = [
  { label: 'p50', colour: 'saved', value: ({ commit }) => commit?.p50 ?? null },
  { label: 'p95', colour: 'wait', value: ({ commit }) => commit?.p95 ?? null },
  { label: 'p99', colour: 'lost', value: ({ commit }) => commit?.p99 ?? null },
];
const SAVE: Line[] = [
  { label: 'p50', colour: 'saved', value: ({ save }) => save?.p50 ?? null },
  { label: 'p95', colour: 'wait', value: ({ save }) => save?.p95 ?? null },
  { label: 'p99', colour: 'lost', value: ({ save }) => save?.p99 ?? null },
];
const REFUSAL_COLOURS = ['lost', 'wait', 'accepted', 'flight'] as const;

function boundInFlight(): number {
  const status = reading.peek()?.status;
  return status === undefined ? 0 : status.settings.maxInFlight * status.shards.length;
}

/** Refusals are plotted by the codes that occurred the most; nothing where there was none. */
const refusals = computed((): Line[] =>
  mostRefused(shown.value, REFUSAL_COLOURS.length).map((code, i) => ({
    label: code,
    colour: REFUSAL_COLOURS[i] ?? 'dim',
    value: (point) => (point.refused as Record<string, number>)[code] ?? 0,
  })),
);

export function Plots() {
  const known = shown.value;
  const props = { points: shown, mostMs: RANGES[range.value].mostMs };
  const hasSaves = known.some(({ save }) => save !== null);
  const hasCommits = known.some(({ commit }) => commit !== null);
  return (
    <section class="stack" aria-label="Over time">
      <div class="head">
        <h2>Over time</h2>
        <div class="row tight" role="group" aria-label="How far back">
          {(Object.keys(RANGES) as Range[]).map((each) => (
            <button
              type="button"
              key={each}
              class="quiet"
              aria-pressed={range.value === each}
              onClick={() => (range.value = each)}
            >
              {RANGES[each].text}
            </button>
          ))}
        </div>
      </div>
      <div class="plots">
        <Plot title="Records a second" lines={RATES} format={count} {...props} />
        <Plot title="Age of the oldest record" lines={AGE} format={duration} {...props} />
        <Plot title="Records that wait, by what for" lines={BUFFER} format={count} {...props} />
        <Plot title="Batches in flight" lines={FLIGHT} format={count} {...props} />
        {hasSaves && <Plot title="How long saves take" lines={SAVE} format={duration} {...props} />}
        {hasCommits && (
          <Plot title="How long records take to be durable" lines={COMMIT} format={duration} {...props} />
        )}
        <Plot title="How full batches are" lines={FILL} format={percent} {...props} />
        <Plot title="Batches against the fewest possible" lines={CUTS} format={count} {...props} />
        {refusals.value.length > 0 && (
          <Plot title="Requests refused a second, by code" lines={refusals.value} format={count} {...props} />
        )}
      </div>
      {known[0] && <p class="dim small">{sinceText(known[0].atMs)}</p>}
    </section>
  );
}

function sinceText(firstMs: number): string {
  const since = rememberedSinceMs.value;
  if (since === undefined) return `Plots begin at ${clock(firstMs)}, when this page was opened.`;
  return `Plots begin at ${clock(firstMs)}; this API process has remembered since ${clock(since)}. Latencies and refusals are its own.`;
}
