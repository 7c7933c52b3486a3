import { useComputed, useSignal } from '@preact/signals';
import type { RuleCountView } from '../../contracts/api/answers/rules';
import type { ConflictRule } from '../../domain/rules';
import { ruleKey } from '../../domain/rules/rule';
import { count, counted, percent } from '../../domain/format';
import { typedValue, verdictOf } from '../model/rules';
import { Empty, Head, Rule } from '../parts/bits';
import { Table } from '../parts/table';
import { reading } from '../source';
import { BufferPicture } from './buffer-picture';
import { WhatIf } from './what-if';

export function ConflictsScreen() {
  const status = reading.value?.status;
  if (status === undefined) return <Empty isPage title="Waiting for the first answer" />;
  const { settings, total } = status;
  return (
    <>
      <Head title="Conflicts">
        <span class="dim">
          Scope <b>{settings.conflictScope}</b>
          {settings.conflictScope === 'running' && `, ${settings.apartMs} ms apart`} · at most{' '}
          {settings.maxBatchSize} a batch
        </span>
      </Head>
      <Together />
      <Rules costs={total.cuts.deferredBy} />
      <BufferPicture />
      <WhatIf />
    </>
  );
}

/** May these two share a batch? Answered here, by the partitioner's own definition. */
function Together() {
  const [left, right] = [useSignal('1'), useSignal('2')];
  const rules = reading.value?.status.settings.conflicts ?? [];
  const verdict = useComputed(() => {
    const [a, b] = [typedValue(left.value), typedValue(right.value)];
    return a === undefined || b === undefined
      ? undefined
      : verdictOf(a, b, reading.value?.status.settings.conflicts ?? []);
  });
  const answer = verdict.value === undefined ? 'unclear' : verdict.value.length === 0 ? 'together' : 'apart';
  return (
    <section class="card stack" aria-label="May these two share a batch?">
      <h2>May these two share a batch?</h2>
      <div class="pair" data-answer={answer}>
        <ValueField label="One value" value={left.value} onInput={(text) => (left.value = text)} />
        <div class="verdict" role="status">
          <svg viewBox="0 0 56 24" aria-hidden="true">
            <circle cx={answer === 'together' ? 22 : 12} cy="12" r="9" />
            {answer === 'apart' && <path d="M28 1v22" />}
            <circle cx={answer === 'together' ? 34 : 44} cy="12" r="9" />
          </svg>
          <strong>{{ together: 'Yes', apart: 'Never', unclear: '…' }[answer]}</strong>
        </div>
        <ValueField label="Another" value={right.value} onInput={(text) => (right.value = text)} />
      </div>
      <p class={answer === 'apart' ? '' : 'dim'}>
        {answer === 'unclear' && 'Both must be JSON: 7, "a text", {"sku":"a-1"}.'}
        {answer === 'together' && `None of the ${counted(rules.length, 'rule')} in force keeps them apart.`}
        {answer === 'apart' && 'Kept apart by a rule: '}
        {verdict.value?.map((rule, index) => (
          <span key={ruleKey(rule)}>
            {index > 0 && '; '}
            <Rule rule={rule} />
          </span>
        ))}
        {answer === 'apart' && '.'}
      </p>
    </section>
  );
}

function ValueField({
  label,
  value,
  onInput,
}: {
  label: string;
  value: string;
  onInput: (text: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <textarea
        class="mono"
        rows={1}
        spellcheck={false}
        value={value}
        aria-invalid={typedValue(value) === undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

/** Rules in force, with what each has cost so far. */
function Rules({ costs }: { costs: readonly RuleCountView[] }) {
  const status = reading.value?.status;
  if (status === undefined) return null;
  const { settings, total } = status;
  const { batches, lowerBound, fillRatio, deferred } = total.cuts;
  const records = new Map(costs.map(({ rule, records }) => [ruleKey(rule), records]));
  const costOf = (rule: ConflictRule) => records.get(ruleKey(rule)) ?? 0;
  const most = Math.max(1, ...records.values());
  return (
    <section class="card stack" aria-label="Rules in force">
      <div class="head">
        <h2>Rules in force</h2>
        <span class="dim">
          {counted(batches, 'batch')}, at least {count(lowerBound)} needed · {percent(fillRatio)} full ·{' '}
          {counted(deferred, 'record')} deferred
        </span>
      </div>
      {settings.conflicts.length === 0 ? (
        <p>No rule: any records may share a batch.</p>
      ) : (
        <Table
          label="What each rule has deferred"
          class="scroll rules"
          rows={settings.conflicts}
          keyOf={ruleKey}
          columns={[
            [
              'Keeps apart',
              (rule) => (
                <>
                  <Rule rule={rule} />
                  <code class="dim small block">{JSON.stringify(rule)}</code>
                </>
              ),
            ],
            ['Records deferred', (rule) => count(costOf(rule)), 'number'],
            [
              'Share',
              (rule) =>
                costOf(rule) > 0 && <i class="bar" style={{ width: `${(costOf(rule) / most) * 100}%` }} />,
              'bar-cell',
            ],
          ]}
        />
      )}
      <p class="dim small">
        Deferred: kept out by the rule of a batch that left before, with room or with a younger record.
      </p>
    </section>
  );
}
