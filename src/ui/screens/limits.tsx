import { useSignal } from '@preact/signals';
import type { OverriddenLimits } from '../../contracts/workflow/limits-answer';
import { LIMIT_KEYS, LIMIT_RANGES, type LimitKey, type Limits, type LimitsPatch } from '../../domain/limits';
import type { ConflictRule } from '../../domain/rules';
import type { MaxSavesPerSecond } from '../../domain/pace/pace-limits';
import { ago, clock, count, duration } from '../../domain/format';
import { ruleInWords } from '../model/rules';
import { Empty, Head } from '../parts/bits';
import { Audit } from './audit';
import { Confirm } from '../parts/dialog';
import { say } from '../parts/notices';
import { pathTo } from '../router';
import { changeLimits, may, nowMs, reading } from '../source';

const NAMES: Record<LimitKey, string> = {
  maxBatchSize: 'Maximum records per batch',
  conflicts: 'Conflict rules',
  flushIntervalMs: 'Maximum age before a partial batch starts',
  batchSpacingMs: 'Minimum time between batch starts',
  maxSavesPerSecond: 'Records that start per second, at most',
  maxInFlight: 'Maximum batches in flight per shard',
  maxAttempts: 'Maximum attempts per record',
  retryIntervalMs: 'Time between attempts',
};

/** What is edited here; rules have a screen of their own. */
type EditedKey = Exclude<LimitKey, 'conflicts'>;

interface Change {
  key: LimitKey;
  patch: LimitsPatch;
  line: string;
}

export function LimitsScreen() {
  const edited = useSignal<EditedKey | undefined>(undefined);
  const text = useSignal('');
  const change = useSignal<Change | undefined>(undefined);
  const now = reading.value?.status;
  const [first] = now?.shards ?? [];
  if (now === undefined || first === undefined) return <Empty isPage title="Waiting for the first answer" />;
  const { settings } = now;

  const submit = (event: Event) => {
    event.preventDefault();
    const key = edited.value;
    const patch = key && patchFrom(key, text.value);
    const value = key && patch?.[key];
    if (key === undefined || patch === undefined || value == null) return;
    change.value = {
      key,
      patch,
      line: `${NAMES[key]}: ${shown(key, value)} instead of ${shown(key, settings[key])}, in every shard, from now on.`,
    };
  };
  return (
    <>
      <Head title="Audit and limits" />
      <Audit />
      <p class="dim">
        What can be changed while everything runs. It wins over the configuration until it is given back;
        batches in flight keep what they began with.
      </p>
      <div class="scroll card" tabIndex={0} role="region" aria-label="Limits">
        <table class="limits">
          <thead>
            <tr>
              <th scope="col">Limit</th>
              <th scope="col">In force</th>
              <th scope="col">Configured</th>
              <th scope="col">Changed</th>
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {LIMIT_KEYS.map((key) => (
              <tr key={key}>
                <th scope="row">
                  {NAMES[key]}
                  <code class="dim small block">{key}</code>
                </th>
                <td class="wrap">
                  {edited.value === key ? (
                    <form class="row tight" onSubmit={submit}>
                      <input
                        aria-label={NAMES[key]}
                        aria-describedby="range"
                        inputMode={key === 'maxSavesPerSecond' ? 'text' : 'numeric'}
                        value={text.value}
                        aria-invalid={patchFrom(key, text.value) === undefined}
                        onInput={(event) => (text.value = event.currentTarget.value)}
                        ref={(input) => input?.focus()}
                      />
                      <button
                        type="submit"
                        class="primary"
                        disabled={patchFrom(key, text.value) === undefined}
                      >
                        Set…
                      </button>
                      <button type="button" class="quiet" onClick={() => (edited.value = undefined)}>
                        Cancel
                      </button>
                      <small id="range" class="dim">
                        {rangeOf(key)}
                      </small>
                    </form>
                  ) : (
                    shown(key, settings[key])
                  )}
                </td>
                <td class="wrap">{configured(key, settings, first.overridden)}</td>
                <td>{changedBy(key, first.overridden)}</td>
                <td>
                  {may('operate') && (
                    <div class="row tight end">
                      {key === 'conflicts' ? (
                        <a class="button quiet" href={pathTo('conflicts')}>
                          Try others
                        </a>
                      ) : (
                        edited.value !== key && (
                          <button
                            type="button"
                            class="quiet"
                            aria-label={`Change: ${NAMES[key]}`}
                            onClick={() => {
                              text.value = JSON.stringify(settings[key]);
                              edited.value = key;
                            }}
                          >
                            Change
                          </button>
                        )
                      )}
                      {first.overridden[key] !== undefined && (
                        <button
                          type="button"
                          class="quiet"
                          aria-label={`Reset: ${NAMES[key]}`}
                          onClick={() =>
                            (change.value = {
                              key,
                              patch: { [key]: null },
                              line: `${NAMES[key]}: ${configured(key, settings, first.overridden)} again, as configured.`,
                            })
                          }
                        >
                          Reset
                        </button>
                      )}
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <section class="card stack">
        <h2>Set by configuration only</h2>
        <dl class="facts">
          {(
            [
              ['Conflict scope', settings.conflictScope],
              ['Kept apart after the end for', duration(settings.apartMs)],
              ['On failure', settings.onFailure.replace('_', ' ')],
              ['Save activity', settings.saveActivity],
              ['Format of outcome lines', settings.outcomeFormat],
              [
                'Keys are remembered for',
                `${duration(settings.idempotencyWindowMs)}, ${count(settings.idempotencyWindowKeys)} a shard`,
              ],
            ] as const
          ).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {change.value && (
        <Confirm
          confirmation={{ title: 'Change this limit?', lines: [change.value.line], verb: 'Change' }}
          act={async (by) => {
            await changeLimits(change.peek()?.patch ?? {}, by);
            edited.value = undefined;
            say('In force, in every shard');
          }}
          onClose={() => (change.value = undefined)}
        />
      )}
    </>
  );
}

/** The change that a text says; undefined for one that the API would refuse. The rest is for the API to judge. */
function patchFrom(key: EditedKey, text: string): LimitsPatch | undefined {
  try {
    const value = JSON.parse(text) as LimitsPatch[EditedKey];
    if (key === 'maxSavesPerSecond') return value == null ? undefined : { [key]: value };
    const [least, most] = LIMIT_RANGES[key];
    const isFine = /^\d{1,12}$/.test(text.trim()) && Number(value) >= least && Number(value) <= most;
    return isFine ? { [key]: value } : undefined;
  } catch {
    return undefined;
  }
}

function rangeOf(key: EditedKey): string {
  if (key === 'maxSavesPerSecond') return 'a number, or [{"at":"/tenant","perSecond":10}]';
  return LIMIT_RANGES[key].map(count).join(' to ');
}

function shown(key: LimitKey, value: Limits[LimitKey]): string {
  if (key === 'maxSavesPerSecond') return paceInWords(value as MaxSavesPerSecond);
  if (typeof value !== 'number')
    return value.length === 0 ? 'none' : (value as ConflictRule[]).map(ruleInWords).join('; ');
  return key.endsWith('Ms') ? (value === 0 ? 'none' : duration(value)) : count(value);
}

function paceInWords(pace: MaxSavesPerSecond): string {
  if (typeof pace === 'number') return pace === 0 ? 'no limit' : count(pace);
  const limits = pace.map(
    ({ at, perSecond }) => `${count(perSecond)} ${at === undefined ? 'in all' : `for each ${at || 'value'}`}`,
  );
  return limits.length === 0 ? 'no limit' : limits.join('; ');
}

function configured(key: LimitKey, settings: Limits, overridden: OverriddenLimits): string {
  return shown(key, overridden[key]?.configured ?? settings[key]);
}

function changedBy(key: LimitKey, overridden: OverriddenLimits) {
  const change = overridden[key];
  if (change === undefined) return '';
  return (
    <span title={new Date(change.atMs).toISOString()}>
      by {change.by} at {clock(change.atMs)} <span class="dim">{ago(change.atMs, nowMs.value)}</span>
    </span>
  );
}
