import type { BatchView } from '../../contracts/api/views';
import { requestIdOf } from '../../domain/records/record';
import { factOf } from '../api';
import { clock, counted, duration } from '../../domain/format';
import { LOOK_TEXT, lookOf } from '../model/timeline';
import { Empty, Head, Rule, Value } from '../parts/bits';
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
        {problem.value ? <Empty title={problem.value.message} /> : <p class="dim">Reading…</p>}
      </>
    );
  return (
    <>
      <Head title={batchId}>
        <span class="tag" data-look={lookOf(batch)}>
          {batch.state === 'failed' ? 'failed' : LOOK_TEXT[lookOf(batch)]}
        </span>
        <Back />
      </Head>
      <Facts batch={batch} />
      <Why batch={batch} />
      <Records batch={batch} />
    </>
  );
}

function Back() {
  return (
    <a class="button" href={pathTo('batches')}>
      All batches
    </a>
  );
}

function Facts({ batch }: { batch: BatchView }) {
  const end = batch.closedAt === null ? nowMs.value : Date.parse(batch.closedAt);
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
        <dd>{duration(Math.max(0, end - Date.parse(batch.startedAt)))}</dd>
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
      <div class="scroll card" tabIndex={0} role="region" aria-label="Records">
        <table>
          <thead>
            <tr>
              <th scope="col">Value</th>
              <th scope="col">Outcome</th>
              <th scope="col" class="number">
                Attempts
              </th>
              <th scope="col">Last error</th>
              <th scope="col">Record</th>
            </tr>
          </thead>
          <tbody>
            {records.map(({ recordId, value, outcome, attempts, error }) => (
              <tr key={recordId}>
                <td>
                  <Value value={value} state={outcome ?? 'in_batch'} />
                </td>
                <td>{outcome?.replace('_', ' ') ?? 'in flight'}</td>
                <td class="number">{attempts ?? '–'}</td>
                <td class="wrap">{error ?? ''}</td>
                <td>
                  <a
                    class="mono"
                    data-row
                    href={pathTo('find', recordId)}
                    title={`request ${requestIdOf(recordId)}`}
                  >
                    {recordId}
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
