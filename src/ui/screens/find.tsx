import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { RequestView } from '../../contracts/api/views';
import { problemOf } from '../api';
import { lifeOf, lookupsOf, requestInWords } from '../model/find';
import { Empty, Head } from '../parts/bits';
import { go, pathTo, route } from '../router';
import { readBatch, readRequest } from '../source';

type Found =
  | { kind: 'request'; request: RequestView; index?: number }
  | { kind: 'nothing' }
  | { kind: 'problem'; text: string }
  | undefined;

/** More rows than this hide the one that is looked for. */
const MOST_RECORDS = 500;

export function FindScreen() {
  const { id } = route.value;
  const typed = useSignal(id);
  const found = useSignal<Found>(undefined);
  const isLooking = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    typed.value = id;
    found.value = undefined;
    let isOver = false;
    if (id === '') return;
    isLooking.value = true;
    void look(id).then((answer) => {
      if (isOver) return;
      isLooking.value = false;
      if (answer?.kind === 'batch') go('batches', answer.id);
      else found.value = answer;
    });
    return () => {
      isOver = true;
    };
  }, [id]);
  return (
    <>
      <Head title="Find" />
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          go('find', typed.value.trim());
        }}
      >
        <label class="field">
          <span>A request, a record, a batch or the name of a file</span>
          <input
            id="find"
            ref={field}
            type="search"
            autocomplete="off"
            spellcheck={false}
            placeholder="order-4711:0"
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Find
        </button>
      </form>
      <div role="status" aria-live="polite" class="stack">
        {isLooking.value && <p class="dim">Looking…</p>}
        {found.value && <Answer found={found.value} id={id} />}
      </div>
    </>
  );
}

async function look(query: string): Promise<Found | { kind: 'batch'; id: string }> {
  for (const { kind, id, index } of lookupsOf(query)) {
    try {
      if (kind === 'batch') {
        await readBatch(id);
        return { kind, id };
      }
      const request = await readRequest(id);
      if (index === undefined || index < request.records.length)
        return { kind: 'request', request, ...(index !== undefined && { index }) };
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status !== 404) return { kind: 'problem', text: problem.message };
    }
  }
  return { kind: 'nothing' };
}

function Answer({ found, id }: { found: NonNullable<Found>; id: string }) {
  if (found.kind === 'problem') return <p class="bad">{found.text}</p>;
  if (found.kind === 'nothing')
    return (
      <Empty title={`Nothing is known as “${id}”`}>
        <p>
          It was never accepted, or ended longer ago than Temporal keeps. Ids are searched for as they are,
          not by parts.
        </p>
      </Empty>
    );
  const { request, index } = found;
  const one = index === undefined ? undefined : request.records[index];
  return (
    <>
      {one && (
        <section class="card stack">
          <h2 class="mono">{one.recordId}</h2>
          <ol class="life">
            {lifeOf(one).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ol>
          {one.batchId !== undefined && <a href={pathTo('batches', one.batchId)}>Show its batch</a>}
        </section>
      )}
      <section class="card stack">
        <h2>
          Request <span class="mono">{request.requestId}</span>
        </h2>
        <p>{requestInWords(request)}.</p>
        {request.redriveOf !== undefined && (
          <p>
            It sends <a href={pathTo('find', request.redriveOf)}>{request.redriveOf}</a> again.
          </p>
        )}
        <div class="scroll" tabIndex={0} role="region" aria-label="Records of the request">
          <table>
            <thead>
              <tr>
                <th scope="col">Record</th>
                <th scope="col">Where it is</th>
                <th scope="col">Batch</th>
                <th scope="col" class="number">
                  Attempts
                </th>
                <th scope="col">More</th>
              </tr>
            </thead>
            <tbody>
              {request.records.slice(0, MOST_RECORDS).map((record) => (
                <tr key={record.recordId} aria-current={record === one}>
                  <th scope="row">
                    <a class="mono" data-row href={pathTo('find', record.recordId)}>
                      {record.recordId}
                    </a>
                  </th>
                  <td>
                    <span class="tag" data-state={record.state}>
                      {record.state.replace('_', ' ')}
                    </span>
                  </td>
                  <td>
                    {record.batchId !== undefined && (
                      <a class="mono" href={pathTo('batches', record.batchId)}>
                        {record.batchId}
                      </a>
                    )}
                  </td>
                  <td class="number">{record.attempts ?? '–'}</td>
                  <td class="wrap">{record.error ?? record.waitsFor?.text ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {request.records.length > MOST_RECORDS && (
          <p class="dim">The first {MOST_RECORDS} are shown; name a record by its id to see another.</p>
        )}
      </section>
    </>
  );
}
