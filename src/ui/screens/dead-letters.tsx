import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { DeadLetter, RedriveSelection } from '../../contracts/api/dead-letters';
import { problemOf } from '../api';
import { confirmationOfRedrive, type Confirmation } from '../model/confirm';
import { groupLetters } from '../model/dead-letters';
import { ago, clock, count, counted } from '../model/format';
import { Confirm } from '../parts/dialog';
import { Empty, Head, Value } from '../parts/bits';
import { say } from '../parts/notices';
import { pathTo } from '../router';
import { may, nowMs, readDeadLetters, redrive } from '../source';

/** Batches that one page looks into. */
const PAGE = 50;
/** A redrive names so many records at most. */
const MOST_NAMED = 1000;

interface Planned {
  selection: RedriveSelection;
  confirmation: Confirmation;
}

export function DeadLettersScreen() {
  const letters = useSignal<DeadLetter[]>([]);
  const cursor = useSignal<string | null | undefined>(undefined);
  const problem = useSignal('');
  const planned = useSignal<Planned | undefined>(undefined);
  const isReading = useSignal(false);

  const readMore = async (from?: string) => {
    isReading.value = true;
    try {
      const page = await readDeadLetters({ limit: PAGE, cursor: from });
      letters.value = from === undefined ? page.deadLetters : [...letters.value, ...page.deadLetters];
      cursor.value = page.nextCursor;
      problem.value = '';
    } catch (error) {
      problem.value = problemOf(error).message;
    }
    isReading.value = false;
  };
  useEffect(() => void readMore(), []);

  const act = async (by: string) => {
    const plan = planned.peek();
    if (plan === undefined) return;
    const { redriven, alreadyRedriven } = await redrive(plan.selection, by);
    const before = alreadyRedriven.length === 0 ? '' : `, ${count(alreadyRedriven.length)} had been before`;
    say(`${counted(redriven.length, 'dead letter')} sent again${before}`);
    await readMore();
  };
  const groups = groupLetters(letters.value);
  const hasMore = typeof cursor.value === 'string';
  return (
    <>
      <Head title="Dead letters">
        <button type="button" disabled={isReading.value} onClick={() => void readMore()}>
          Read again
        </button>
        {may('operate') && letters.value.length > 0 && (
          <button
            type="button"
            class="primary"
            onClick={() =>
              (planned.value = hasMore
                ? { selection: { all: true }, confirmation: confirmationOfRedrive('all', '') }
                : plan(letters.value, '', true))
            }
          >
            {hasMore ? 'Redrive all…' : `Redrive all ${count(letters.value.length)}…`}
          </button>
        )}
      </Head>
      {problem.value !== '' && (
        <p class="bad" role="alert">
          {problem.value}
        </p>
      )}
      {cursor.value === undefined && problem.value === '' && <p class="dim">Reading…</p>}
      {cursor.value === null && letters.value.length === 0 && (
        <Empty title="No dead letters">
          <p>Every record that was rolled back has been sent again, or none ever was.</p>
        </Empty>
      )}
      {groups.map(({ error, letters: ofGroup }) => (
        <section class="card stack" key={error}>
          <div class="head">
            <h2>
              <b class="figure">{count(ofGroup.length)}</b> {error}
            </h2>
            {may('operate') && (
              <button type="button" onClick={() => (planned.value = plan(ofGroup, 'of this group', false))}>
                Redrive {ofGroup.length > MOST_NAMED ? `the first ${count(MOST_NAMED)}` : 'the group'}…
              </button>
            )}
          </div>
          <Letters
            error={error}
            letters={ofGroup}
            onRedrive={(letter) => (planned.value = plan([letter], '', false))}
          />
        </section>
      ))}
      {hasMore && (
        <div class="row between">
          <span class="dim">{count(letters.value.length)} so far; there are more batches to look into.</span>
          <button
            type="button"
            disabled={isReading.value}
            onClick={() => void readMore(cursor.value ?? undefined)}
          >
            Look further
          </button>
        </div>
      )}
      {planned.value && (
        <Confirm
          confirmation={planned.value.confirmation}
          act={act}
          onClose={() => (planned.value = undefined)}
        />
      )}
    </>
  );
}

function plan(letters: readonly DeadLetter[], what: string, isAll: boolean): Planned {
  if (isAll && letters.length > MOST_NAMED)
    return { selection: { all: true }, confirmation: confirmationOfRedrive('all', what) };
  const named = letters.slice(0, MOST_NAMED);
  return {
    selection: { records: named.map(({ recordId }) => recordId) },
    confirmation: confirmationOfRedrive(named.length, what),
  };
}

/** Rows of one group that are shown. */
const MOST_ROWS = 20;

function Letters({
  error,
  letters,
  onRedrive,
}: {
  error: string;
  letters: readonly DeadLetter[];
  onRedrive: (letter: DeadLetter) => void;
}) {
  const isWhole = useSignal(false);
  const shown = isWhole.value ? letters : letters.slice(0, MOST_ROWS);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Dead letters: ${error}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Value</th>
              <th scope="col">Record</th>
              <th scope="col">Rolled back</th>
              <th scope="col" class="number">
                Attempts
              </th>
              <th scope="col">Last error</th>
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((letter) => (
              <tr key={letter.recordId}>
                <td>
                  <Value value={letter.value} />
                </td>
                <td>
                  <a class="mono" data-row href={pathTo('find', letter.recordId)}>
                    {letter.recordId}
                  </a>
                </td>
                <td title={letter.at}>
                  {clock(letter.at)} <span class="dim">{ago(letter.at, nowMs.value)}</span>
                </td>
                <td class="number">{letter.attempts}</td>
                <td class="wrap">
                  {letter.error ?? ''}
                  {letter.rollbackError !== null && (
                    <strong class="bad"> Not undone: {letter.rollbackError}</strong>
                  )}
                </td>
                <td class="number">
                  {may('operate') && (
                    <button
                      type="button"
                      class="quiet"
                      aria-label={`Redrive ${letter.recordId}`}
                      onClick={() => onRedrive(letter)}
                    >
                      Redrive
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < letters.length && (
        <button type="button" class="quiet" onClick={() => (isWhole.value = true)}>
          Show all {count(letters.length)}
        </button>
      )}
    </>
  );
}
