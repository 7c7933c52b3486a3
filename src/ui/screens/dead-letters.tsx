import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { DeadLetter, DeadLetterGroups } from '../../contracts/api/answers/dead-letters';
import type { RedriveSelection } from '../../contracts/api/filters';
import { problemOf } from '../api';
import { confirmationOfRedrive, type Confirmation } from '../model/confirm';
import { groupLetters } from '../model/dead-letters';
import { count, counted, duration } from '../../domain/format';
import { Confirm } from '../parts/dialog';
import { Empty, Head, RecordLink, Time, Value } from '../parts/bits';
import { say, Reading } from '../parts/notices';
import { Table } from '../parts/table';
import { may, nowMs, readDeadLetters, readLetterGroups, redrive } from '../source';

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
  /** Of all dead letters, also those that were not read yet. */
  const totals = useSignal<DeadLetterGroups | undefined>(undefined);

  const readMore = async (from?: string) => {
    isReading.value = true;
    try {
      const page = await readDeadLetters({ limit: PAGE, cursor: from });
      letters.value = from === undefined ? page.deadLetters : [...letters.value, ...page.deadLetters];
      cursor.value = page.nextCursor;
      problem.value = '';
      if (from === undefined) totals.value = await readLetterGroups();
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
  const totalOf = (error: string) => totals.value?.groups.find((group) => group.error === error);
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
      {cursor.value === undefined && problem.value === '' && <Reading />}
      {cursor.value === null && letters.value.length === 0 && (
        <Empty title="No dead letters">
          <p>Every record that was rolled back has been sent again, or none ever was.</p>
        </Empty>
      )}
      {groups.map(({ error, letters: ofGroup }) => (
        <section class="card stack" key={error}>
          <div class="head">
            <h2>
              <b class="figure">{count(totalOf(error)?.records ?? ofGroup.length)}</b> {error}
              <Forgotten at={totalOf(error)?.forgottenAt ?? null} />
            </h2>
            {may('operate') && (
              <button
                type="button"
                onClick={() => (planned.value = planGroup(error, totalOf(error)?.records ?? ofGroup.length))}
              >
                Redrive all {count(totalOf(error)?.records ?? ofGroup.length)}…
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

/** All that failed alike, also those that were not read yet. */
function planGroup(error: string, records: number): Planned {
  return { selection: { error }, confirmation: confirmationOfRedrive(records, 'with this error') };
}

/** How soon Temporal forgets the first of a group. */
function Forgotten({ at }: { at: string | null }) {
  if (at === null) return null;
  const leftMs = new Date(at).getTime() - nowMs.value;
  return (
    <small class="dim"> · Temporal forgets the first {leftMs <= 0 ? 'now' : `in ${duration(leftMs)}`}</small>
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
      <Table
        label={`Dead letters: ${error}`}
        class="scroll"
        rows={shown}
        keyOf={({ recordId }) => recordId}
        columns={[
          ['Value', ({ value }) => <Value value={value} />],
          ['Record', ({ recordId }) => <RecordLink id={recordId} />, 'mono'],
          ['Rolled back', ({ at }) => <Time at={at} />],
          ['Attempts', ({ attempts }) => attempts, 'number'],
          [
            'Last error',
            (letter) => (
              <>
                {letter.error}
                {letter.rollbackError !== null && (
                  <strong class="bad"> Not undone: {letter.rollbackError}</strong>
                )}
              </>
            ),
            'wrap',
          ],
          [
            'Actions',
            (letter) =>
              may('operate') && (
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Redrive ${letter.recordId}`}
                  onClick={() => onRedrive(letter)}
                >
                  Redrive
                </button>
              ),
            'actions',
          ],
        ]}
      />
      {shown.length < letters.length && (
        <button type="button" class="quiet" onClick={() => (isWhole.value = true)}>
          Show all {count(letters.length)}
        </button>
      )}
    </>
  );
}
