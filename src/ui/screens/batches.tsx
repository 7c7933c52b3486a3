import { useSignal } from '@preact/signals';
import type { BatchSummary } from '../../contracts/api/answers/batches';
import { BATCH_STATES, type BatchState } from '../../contracts/api/states';
import { clock, count, duration } from '../../domain/format';
import { LOOK_TEXT, lookOf, timelineOf, type Look } from '../model/timeline';
import { Empty, figure, Head, Time } from '../parts/bits';
import { Table } from '../parts/table';
import { Problem, Reading } from '../parts/notices';
import { usePolled } from '../parts/use-polled';
import { go, pathTo, route } from '../router';
import { nowMs, readBatches } from '../source';
import { BatchDetail, BatchTag, tookMs } from './batch-detail';

const LOOK_EVERY_MS = 2000;
const LOOKS: readonly Look[] = ['running', 'saved', 'mixed', 'lost'];
const LANE = 14;

export function BatchesScreen() {
  const { id } = route.value;
  return id === '' ? <BatchList /> : <BatchDetail batchId={id} key={id} />;
}

function BatchList() {
  const state = useSignal<BatchState | undefined>(undefined);
  const cursors = useSignal<string[]>([]);
  const cursor = cursors.value.at(-1);
  const page = usePolled(
    `${state.value ?? ''} ${cursor ?? ''}`,
    () => readBatches({ state: state.value, cursor }),
    LOOK_EVERY_MS,
  );
  const choose = (next: BatchState | undefined) => {
    state.value = next;
    cursors.value = [];
  };
  const { batches, nextCursor } = page.value.value ?? {};
  return (
    <>
      <Head title="Batches">
        <div class="segmented" role="group" aria-label="Which batches">
          {[undefined, ...BATCH_STATES].map((each) => (
            <button
              type="button"
              key={each ?? 'all'}
              aria-pressed={state.value === each}
              onClick={() => choose(each)}
            >
              {each ?? 'all'}
            </button>
          ))}
        </div>
      </Head>
      <Problem problem={page.problem.value} />
      {batches === undefined && <Reading />}
      {batches?.length === 0 && (
        <Empty title={state.value === undefined ? 'No batches yet' : `No batch is ${state.value}`}>
          <p>
            A batch starts when there are enough records to fill it, or when its oldest record is old enough.
          </p>
        </Empty>
      )}
      {batches !== undefined && batches.length > 0 && (
        <>
          <Picture batches={batches} />
          <BatchTable batches={batches} />
          <div class="row between">
            <span class="dim small">
              The {count(batches.length)} that run or closed last
              {cursor === undefined ? '' : ', from here on'}.
            </span>
            <span class="row">
              {cursor !== undefined && (
                <button type="button" onClick={() => (cursors.value = cursors.value.slice(0, -1))}>
                  Newer
                </button>
              )}
              {nextCursor != null && (
                <button type="button" onClick={() => (cursors.value = [...cursors.value, nextCursor])}>
                  Older
                </button>
              )}
            </span>
          </div>
        </>
      )}
    </>
  );
}

/** A lane per slot; a click on a bar leads to its batch. For keyboards and screen readers, the table below is the same. */
function Picture({ batches }: { batches: readonly BatchSummary[] }) {
  const { bars, lanes, fromMs, toMs } = timelineOf(batches, nowMs.value);
  return (
    <figure class="card timeline">
      <ul class="legend">
        {LOOKS.map((look) => (
          <li key={look} data-look={look}>
            {LOOK_TEXT[look]}
          </li>
        ))}
      </ul>
      <svg aria-hidden="true" height={lanes * LANE} width="100%">
        <defs>
          <pattern
            id="stripes"
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <path d="M0 0v6" />
          </pattern>
        </defs>
        {bars.map(({ batch, lane, from, to }) => {
          const place = {
            x: `${from * 100}%`,
            y: lane * LANE + 1,
            width: `${(to - from) * 100}%`,
            height: LANE - 4,
            rx: 3,
          };
          const look = lookOf(batch);
          return (
            <g key={batch.batchId} onClick={() => go('batches', batch.batchId)}>
              <title>{`${batch.batchId}: ${LOOK_TEXT[look]}`}</title>
              <rect {...place} data-look={look} />
              {look === 'mixed' && <rect {...place} fill="url(#stripes)" />}
            </g>
          );
        })}
      </svg>
      <figcaption class="row between dim small">
        <time>{clock(fromMs)}</time>
        <span>{duration(toMs - fromMs)}</span>
        <time>{clock(toMs)}</time>
      </figcaption>
    </figure>
  );
}

function BatchTable({ batches }: { batches: readonly BatchSummary[] }) {
  return (
    <Table
      label="Batches"
      rows={batches}
      keyOf={({ batchId }) => batchId}
      columns={[
        [
          'Batch',
          ({ batchId }) => (
            <a data-row href={pathTo('batches', batchId)}>
              {batchId}
            </a>
          ),
          'mono',
        ],
        ['Outcome', (batch) => <BatchTag batch={batch} />],
        ['Left for', ({ flushReason }) => flushReason],
        ['Started', ({ startedAt }) => <Time at={startedAt} />],
        ['Took', (batch) => duration(tookMs(batch)), 'number'],
        ['Saved', ({ saved }) => figure(saved), 'number'],
        ['Rolled back', ({ rolledBack }) => figure(rolledBack), 'number'],
        ['Retries', ({ retries }) => figure(retries), 'number'],
      ]}
    />
  );
}
