import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { RequestView } from '../../contracts/api/answers/requests';
import { problemOf } from '../api';
import { lifeOf, requestInWords } from '../model/find';
import { Empty, Head, RecordLink } from '../parts/bits';
import { Table } from '../parts/table';
import { go, pathTo, route } from '../router';
import { findAnything, readRequest } from '../source';

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
          <span>A request, a record, a batch, the name of a file, or an X-Request-Id</span>
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

/** The server knows what an id may be of; a request is read whole where one was found. */
async function look(query: string): Promise<Found | { kind: 'batch'; id: string }> {
  try {
    const [first] = (await findAnything(query)).found;
    if (first === undefined) return { kind: 'nothing' };
    if (first.kind === 'batch') return { kind: 'batch', id: first.batch.batchId };
    const request = await readRequest(first.request.requestId);
    const at =
      first.kind === 'record'
        ? request.records.findIndex(({ recordId }) => recordId === first.record.recordId)
        : -1;
    return { kind: 'request', request, ...(at >= 0 && { index: at }) };
  } catch (error) {
    return { kind: 'problem', text: problemOf(error).message };
  }
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
        <Table
          label="Records of the request"
          class="scroll"
          rows={request.records.slice(0, MOST_RECORDS)}
          keyOf={({ recordId }) => recordId}
          isCurrent={(record) => record === one}
          columns={[
            ['Record', ({ recordId }) => <RecordLink id={recordId} />, 'mono'],
            [
              'Where it is',
              ({ state }) => (
                <span class="tag" data-state={state}>
                  {state.replace('_', ' ')}
                </span>
              ),
            ],
            [
              'Batch',
              ({ batchId }) => batchId !== undefined && <a href={pathTo('batches', batchId)}>{batchId}</a>,
              'mono',
            ],
            ['Attempts', ({ attempts }) => attempts ?? '–', 'number'],
            ['More', ({ error, waitsFor }) => error ?? waitsFor?.text, 'wrap'],
          ]}
        />
        {request.records.length > MOST_RECORDS && (
          <p class="dim">The first {MOST_RECORDS} are shown; name a record by its id to see another.</p>
        )}
      </section>
    </>
  );
}
