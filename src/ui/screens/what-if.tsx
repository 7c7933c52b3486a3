import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Explanation } from '../../domain/explain';
import type { JsonValue } from '../../domain/json';
import type { Confirmation } from '../model/confirm';
import { count, counted, percent } from '../../domain/format';
import { compareRules, ruleInWords, typedRecords, typedRules } from '../model/rules';
import { Value } from '../parts/bits';
import { Confirm } from '../parts/dialog';
import { say, sayProblem } from '../parts/notices';
import { changeLimits, may, readBatch, readBatches, reading } from '../source';

/** Records of so many batches are read, so many at a time. */
const BATCHES = 60;
const AT_ONCE = 4;
/** As many as a batcher cuts in the blink of an eye, in a browser too. */
const MOST_RECORDS = 5000;
/** Batches that are drawn; the figures are of all. */
const DRAWN = 24;

/** Other rules or sizes on the same records: batches now and then, by the partitioner itself, in this page. */
export function WhatIf() {
  const settings = reading.value?.status.settings;
  const rulesText = useSignal('');
  const sizeText = useSignal('');
  const recordsText = useSignal('[1, 2, 3, 4, 5, 7, 8, 1, 2]');
  const isReading = useSignal(false);
  const isAsked = useSignal(false);
  useEffect(() => {
    if (settings === undefined || rulesText.value !== '') return;
    rulesText.value = JSON.stringify(settings.conflicts, null, 1).replaceAll(/\n\s*/g, ' ');
    sizeText.value = String(settings.maxBatchSize);
  }, [settings !== undefined]);

  const typed = useComputed(() => typedRules(rulesText.value));
  const records = useComputed(() => typedRecords(recordsText.value));
  const size = useComputed(() =>
    /^[1-9]\d{0,3}$/.test(sizeText.value.trim()) ? Number(sizeText.value) : undefined,
  );
  const inForce = useComputed(() => {
    const now = reading.value?.status.settings;
    return JSON.stringify({ rules: now?.conflicts ?? [], maxBatchSize: now?.maxBatchSize ?? 5 });
  });
  const comparison = useComputed(() => {
    if (typed.value.problems.length > 0 || size.value === undefined) return undefined;
    const now = JSON.parse(inForce.value) as Parameters<typeof compareRules>[1];
    return compareRules(records.value.values.slice(0, MOST_RECORDS), now, {
      rules: typed.value.rules,
      maxBatchSize: size.value,
    });
  });

  const readLatest = async () => {
    isReading.value = true;
    try {
      recordsText.value = (await latestValues()).map((value) => JSON.stringify(value)).join('\n');
    } catch (error) {
      sayProblem(error);
    }
    isReading.value = false;
  };
  const isOther =
    comparison.value !== undefined &&
    JSON.stringify({ rules: typed.value.rules, maxBatchSize: size.value }) !== inForce.value;

  return (
    <section class="card stack" aria-label="What if the rules were different?">
      <div class="head">
        <h2>What if the rules were different?</h2>
        <button type="button" disabled={isReading.value} onClick={() => void readLatest()}>
          {isReading.value ? 'Reading…' : `Take records of the latest ${BATCHES} batches`}
        </button>
      </div>
      <div class="columns inputs">
        <label class="field">
          <span>Rules</span>
          <textarea
            class="mono"
            rows={4}
            spellcheck={false}
            value={rulesText.value}
            aria-invalid={typed.value.problems.length > 0}
            aria-describedby="rules-problems"
            onInput={(event) => (rulesText.value = event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Records, oldest first: a JSON list, or one per line</span>
          <textarea
            class="mono"
            rows={4}
            spellcheck={false}
            value={recordsText.value}
            aria-invalid={records.value.problem !== undefined}
            aria-describedby="rules-problems"
            onInput={(event) => (recordsText.value = event.currentTarget.value)}
          />
        </label>
        <label class="field narrow">
          <span>Max. per batch</span>
          <input
            inputMode="numeric"
            value={sizeText.value}
            aria-invalid={size.value === undefined}
            onInput={(event) => (sizeText.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <div id="rules-problems" class="bad" role="status">
        {[
          ...typed.value.problems,
          ...(records.value.problem === undefined ? [] : [records.value.problem]),
        ].map((line) => (
          <p key={line}>{line}</p>
        ))}
      </div>
      {comparison.value && (
        <div class="columns">
          <Cut
            title="Now"
            cut={comparison.value.now}
            size={(JSON.parse(inForce.value) as { maxBatchSize: number }).maxBatchSize}
          />
          <Cut title="Then" cut={comparison.value.then} size={size.value ?? 1} than={comparison.value.now} />
        </div>
      )}
      {may('operate') && (
        <div class="row">
          <button type="button" disabled={!isOther} onClick={() => (isAsked.value = true)}>
            Put these in force…
          </button>
          {!isOther && <span class="dim small">They are in effect.</span>}
        </div>
      )}
      {isAsked.value && comparison.value && (
        <Confirm
          confirmation={confirmationOf(typed.value.rules.map(ruleInWords), size.value ?? 1, comparison.value)}
          act={async (by) => {
            await changeLimits(
              { conflicts: typed.value.rules, ...(size.value !== undefined && { maxBatchSize: size.value }) },
              by,
            );
            say('In force, in every shard');
          }}
          onClose={() => (isAsked.value = false)}
        />
      )}
    </section>
  );
}

function confirmationOf(
  rules: readonly string[],
  size: number,
  { now, then }: NonNullable<ReturnType<typeof compareRules>>,
): Confirmation {
  return {
    title: 'Apply these rules?',
    lines: [
      rules.length === 0
        ? 'No rule: any records may share a batch.'
        : `Kept apart: ${rules.slice(0, 5).join('; ')}${rules.length > 5 ? `; and ${rules.length - 5} more` : ''}.`,
      `At most ${counted(size, 'record')} a batch. The records here would go in ${counted(then.summary.batches, 'batch')} instead of ${count(now.summary.batches)}.`,
      'They apply to every batch that starts from now on; batches in flight keep theirs. Reset them under “Limits”.',
    ],
    verb: 'Apply',
    word: 'change',
  };
}

/** Records of the batches that closed last, the oldest first. */
async function latestValues(): Promise<JsonValue[]> {
  const { batches } = await readBatches({ limit: BATCHES });
  const ids = batches.map(({ batchId }) => batchId).reverse();
  const values: JsonValue[] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const read = await Promise.all(ids.slice(from, from + AT_ONCE).map(readBatch));
    for (const { records } of read) values.push(...records.map(({ value }) => value));
  }
  return values;
}

function Cut({
  title,
  cut: { batches, summary },
  size,
  than,
}: {
  title: string;
  cut: Explanation<JsonValue>;
  size: number;
  than?: Explanation<JsonValue>;
}) {
  const difference = than === undefined ? 0 : summary.batches - than.summary.batches;
  return (
    <div class="cut">
      <h3>
        {title}: <b class="figure">{counted(summary.batches, 'batch')}</b>
        {difference !== 0 && (
          <span class="tag" data-look={difference < 0 ? 'saved' : 'lost'}>
            {difference > 0 ? '+' : '−'}
            {count(Math.abs(difference))}
          </span>
        )}
      </h3>
      <p class="dim small">
        {percent(summary.fillRatio)} full ·{' '}
        {summary.batches === summary.lowerBound
          ? 'no cut has fewer'
          : `at least ${count(summary.lowerBound)} needed`}{' '}
        · {count(summary.deferred)} deferred
      </p>
      <ol class="cuts">
        {batches.slice(0, DRAWN).map(({ records, why }, index) => (
          <li key={index} title={why.replace('_', ' ')}>
            {records.slice(0, 12).map((value, place) => (
              <Value value={value} key={place} />
            ))}
            {records.length > 12 && <span class="dim">+{records.length - 12}</span>}
            {records.length < size &&
              size <= 12 &&
              Array.from({ length: size - records.length }, (_, place) => <i class="hole" key={place} />)}
          </li>
        ))}
      </ol>
      {batches.length > DRAWN && <p class="dim small">and {count(batches.length - DRAWN)} more</p>}
    </div>
  );
}
