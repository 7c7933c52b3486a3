import type { BatchSummary, BatchView } from '../../contracts/api/answers/batches';
import { factOf } from '../api';
import { clock, counted, duration } from '../../domain/format';
import { LOOK_TEXT, lookOf } from '../model/timeline';
import { Empty, Head, RecordLink, Rule, Value } from '../parts/bits';
import { Table } from '../parts/table';
import { Reading } from '../parts/notices';
import { usePolled } from '../parts/use-polled';
import { pathTo } from '../router';
import { nowMs, readBatch } from '../source';

const LOOK_EVERY_MS = 1000;

export function BatchDetail({ batchId }: { batchId: string }) {
  const { value, problem } = usePolled(batchId, () => readBatch(batchId), LOOK_EVERY_MS);
  const batch = value.value;
  if (batch === undefined)
    return (
      <>
        <Head title={batchId}>{<Back />}</Head>
        {problem.value ? <Empty title={problem.value.message} /> : <Reading />}
      </>
    );
  return (
    <>
      <Head title={batchId}>
        <BatchTag batch={batch} />
        <Back />
      </Head>
      <Facts batch={batch} />
      <Why batch={batch} />
      <Records batch={batch} />
    </>
  );
}

export function BatchTag({ batch }: { batch: BatchSummary }) {
  const look = lookOf(batch);
  return (
    <span class="tag" data-look={look}>
      {batch.state === 'failed' ? 'failed' : LOOK_TEXT[look]}
    </span>
  );
}

/** How long a batch has taken so far. */
export function tookMs({ startedAt, closedAt }: BatchSummary): number {
  const endMs = closedAt === null ? nowMs.value : Date.parse(closedAt);
  return Math.max(0, endMs - Date.parse(startedAt));
}

function Back() {
  return (
    <a class="button" href={pathTo('batches')}>
      All batches
    </a>
  );
}

function Facts({ batch }: { batch: BatchView }) {
  const temporal = factOf('temporal');
  return (
    <dl class="facts card">
      <div>
        <dt>Started because of</dt>
        <dd>{batch.flushReason}</dd>
      </div>
      <div>
        <dt>Started</dt>
        <dd title={batch.startedAt}>{clock(batch.startedAt)}</dd>
      </div>
      <div>
        <dt>{batch.closedAt === null ? 'Has run' : 'Took'}</dt>
        <dd>{duration(tookMs(batch))}</dd>
      </div>
      <div class="wide">
        <dt>File</dt>
        <dd class="mono">{batch.file ?? 'not written yet'}</dd>
      </div>
      <div class="wide">
        <dt>{batch.requestIds.length === 1 ? 'Request' : 'Requests'}</dt>
        <dd class="mono">
          {batch.requestIds.map((id) => (
            <a href={pathTo('find', id)} key={id}>
              {id}{' '}
            </a>
          ))}
        </dd>
      </div>
      {temporal !== '' && (
        <div>
          <dt>Workflow</dt>
          <dd>
            <a
              href={`${temporal}/${encodeURIComponent(workflowOf(batch.batchId))}/${batch.runId}/history`}
              rel="noreferrer"
            >
              in Temporal’s Web UI
            </a>
          </dd>
        </div>
      )}
    </dl>
  );
}

/** Batches that share a child have its id, with their place in it behind a point. */
function workflowOf(batchId: string): string {
  return batchId.replace(/\.\d{3,}$/, '');
}

function Why({ batch: { cut, saving, work } }: { batch: BatchView }) {
  return (
    <section class="card stack">
      <h2>Why it isn’t larger</h2>
      <p>{sentence(cut.text)}</p>
      {cut.keptOut.length > 0 && (
        <ul class="plain">
          {cut.keptOut.map(({ rule, records }) => (
            <li key={JSON.stringify(rule)}>
              <b class="figure">{records}</b> kept out by <Rule rule={rule} />
            </li>
          ))}
        </ul>
      )}
      <p class="dim">{sentence(saving.text)}</p>
      {work.map(({ text, error }) => (
        <p key={text} class={error === null ? '' : 'bad'}>
          {sentence(text)}
        </p>
      ))}
    </section>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function Records({ batch: { records } }: { batch: BatchView }) {
  return (
    <section class="stack">
      <h2>{counted(records.length, 'record')}</h2>
      <Table
        label="Records"
        rows={records}
        keyOf={({ recordId }) => recordId}
        columns={[
          ['Value', ({ value, outcome }) => <Value value={value} state={outcome ?? 'in_batch'} />],
          ['Outcome', ({ outcome }) => outcome?.replace('_', ' ') ?? 'in flight'],
          ['Attempts', ({ attempts }) => attempts ?? '–', 'number'],
          ['Last error', ({ error }) => error, 'wrap'],
          ['Record', ({ recordId }) => <RecordLink id={recordId} />, 'mono'],
        ]}
      />
    </section>
  );
}
