import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { JsonValue } from '../../domain/json';
import type { Confirmation } from '../model/confirm';
import { count, counted, percent } from '../../domain/format';
import {
  costsOf,
  cut,
  fillOf,
  ruleInWords,
  typedRecords,
  typedRules,
  type Cut,
  type CutRules,
} from '../model/rules';
import { Value } from '../parts/bits';
import { Confirm } from '../parts/dialog';
import { say, sayProblem } from '../parts/notices';
import { changeLimits, may, readBatch, readBatches, reading } from '../source';

/** Records of past batches that are read, from at most so many batches, so many of them at a time. */
const MOST_READ = 1000;
const BATCHES = 200;
const AT_ONCE = 6;
/** As many as a batcher cuts in the blink of an eye, in a browser too. */
const MOST_RECORDS = 5000;
/** Batches that are drawn; the figures are of all. */
const DRAWN = 24;
/** Records times rules up to which it is found out what each rule costs. */
const MOST_FOR_COSTS = 4000;

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
    const values = records.value.values.slice(0, MOST_RECORDS);
    const now = JSON.parse(inForce.value) as CutRules;
    const others = { rules: typed.value.rules, maxBatchSize: size.value };
    // Each rule is another cut.
    const costs = values.length * others.rules.length <= MOST_FOR_COSTS ? costsOf(values, others) : [];
    return {
      now: cut(values, now),
      nowSize: now.maxBatchSize,
      then: cut(values, others),
      costs,
      ruleTexts: others.rules.map(ruleInWords),
    };
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
          {isReading.value ? 'Reading…' : `Take the last ${count(MOST_READ)} records`}
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
        <>
          <div class="columns">
            <CutBatches title="Now" cut={comparison.value.now} size={comparison.value.nowSize} />
            <CutBatches
              title="Then"
              cut={comparison.value.then}
              size={size.value ?? 1}
              than={comparison.value.now}
            />
          </div>
          {comparison.value.costs.length > 0 && (
            <ul class="plain" aria-label="What each rule costs here">
              {comparison.value.costs.map((cost, index) => (
                <li key={index}>
                  <b class="figure">{cost > 0 ? `+${counted(cost, 'batch')}` : 'costs nothing'}</b>{' '}
                  <span class="dim">because of</span> {comparison.value?.ruleTexts[index]}
                </li>
              ))}
            </ul>
          )}
        </>
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
  { now, then }: { now: Cut; then: Cut },
): Confirmation {
  return {
    title: 'Apply these rules?',
    lines: [
      rules.length === 0
        ? 'No rule: any records may share a batch.'
        : `Kept apart: ${rules.slice(0, 5).join('; ')}${rules.length > 5 ? `; and ${rules.length - 5} more` : ''}.`,
      `At most ${counted(size, 'record')} a batch. The records here would go in ${counted(then.batches.length, 'batch')} instead of ${count(now.batches.length)}.`,
      'They apply to every batch that starts from now on; batches in flight keep theirs. Reset them under “Limits”.',
    ],
    verb: 'Apply',
    word: 'change',
  };
}

/** Records of the batches that closed last, the oldest first. */
async function latestValues(): Promise<JsonValue[]> {
  const { batches } = await readBatches({ limit: BATCHES });
  let values: JsonValue[] = [];
  for (let from = 0; from < batches.length && values.length < MOST_READ; from += AT_ONCE) {
    const ids = batches.slice(from, from + AT_ONCE).map(({ batchId }) => batchId);
    const read = await Promise.all(ids.reverse().map(readBatch));
    values = [...read.flatMap(({ records }) => records.map(({ value }) => value)), ...values];
  }
  return values.slice(-MOST_READ);
}

function CutBatches({ title, cut, size, than }: CutProps) {
  const { batches, lowerBound } = cut;
  const difference = than === undefined ? 0 : batches.length - than.batches.length;
  return (
    <div class="cut">
      <h3>
        {title}: <b class="figure">{counted(batches.length, 'batch')}</b>
        {difference !== 0 && (
          <span class="tag" data-look={difference < 0 ? 'saved' : 'lost'}>
            {difference > 0 ? '+' : '−'}
            {count(Math.abs(difference))}
          </span>
        )}
      </h3>
      <p class="dim small">
        {percent(fillOf(cut, size))} full ·{' '}
        {batches.length === lowerBound ? 'no cut has fewer' : `at least ${count(lowerBound)} needed`}
      </p>
      <ol class="cuts">
        {batches.slice(0, DRAWN).map((records, index) => (
          <li key={index}>
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

interface CutProps {
  title: string;
  cut: Cut;
  size: number;
  than?: Cut;
}
