import { useSignal } from '@preact/signals';
import type { AuditView } from '../../contracts/api/answers/audits';
import { count, counted } from '../../domain/format';
import { Time } from '../parts/bits';
import { Confirm } from '../parts/dialog';
import { Problem, Reading } from '../parts/notices';
import { usePolled } from '../parts/use-polled';
import { pathTo } from '../router';
import { may, readAudits, startAudit } from '../source';

const LOOK_EVERY_MS = 2000;

const STAGES = {
  batches: 'Comparing batches with their files',
  files: 'Reading files',
  store: 'Comparing with the store',
};

/** Whether the files keep the guarantees: the latest audit, a button for another, and those before. */
export function Audit() {
  const { value, problem, again } = usePolled('audits', readAudits, LOOK_EVERY_MS);
  const isAsked = useSignal(false);
  const [latest, ...before] = value.value?.audits ?? [];
  return (
    <section class="card stack" aria-label="Audit">
      <div class="head">
        <h2>Audit</h2>
        {may('operate') && (
          <button type="button" disabled={latest?.state === 'running'} onClick={() => (isAsked.value = true)}>
            Audit now…
          </button>
        )}
      </div>
      <Problem problem={problem.value} />
      {value.value === undefined && !problem.value && <Reading />}
      {latest === undefined ? (
        value.value && (
          <p class="dim">
            Checks every batch file against the guarantees, and against Temporal. None was made yet.
          </p>
        )
      ) : (
        <Latest audit={latest} />
      )}
      {before.length > 0 && (
        <details>
          <summary>Audits before</summary>
          <ul class="plain">
            {before.map((audit) => (
              <li key={audit.auditId}>
                <Verdict audit={audit} /> <Who audit={audit} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {isAsked.value && (
        <Confirm
          confirmation={{
            title: 'Audit the batch files?',
            lines: [
              'A worker reads the newest 100,000 files and 20,000 batches, with a quarter of a core at most.',
              'Nothing is changed. Saves go on meanwhile.',
            ],
            verb: 'Audit',
          }}
          act={async (by) => {
            await startAudit(by);
            again();
          }}
          onClose={() => (isAsked.value = false)}
        />
      )}
    </section>
  );
}

function Latest({ audit }: { audit: AuditView }) {
  const { state, progress, result, error } = audit;
  return (
    <>
      <div class="row">
        <Verdict audit={audit} /> <Who audit={audit} />
      </div>
      {state === 'running' && (
        <label class="field">
          <span role="status">
            {progress === null
              ? 'No worker has begun it yet.'
              : `${STAGES[progress.stage]}: ${count(progress.done)}${progress.of === null ? '' : ` of ${count(progress.of)}`}`}
          </span>
          <progress value={progress?.of ? progress.done / progress.of : undefined} />
        </label>
      )}
      {error !== null && <p class="bad">{error}</p>}
      {result && (
        <p class="dim">
          {counted(result.files, 'file')}: {count(result.saved)} saved, {count(result.rolledBack)} rolled
          back. {counted(result.batches, 'closed batch')} compared, {count(result.running)} running. Read by{' '}
          {result.worker}.
          {result.filesLeftOut > 0 && ` ${counted(result.filesLeftOut, 'older file')} left out.`}
          {result.batchesLeftOut && ' Older batches left out.'}
          {result.silentBatchers.length > 0 && ` No answer from ${result.silentBatchers.join(', ')}.`}
        </p>
      )}
      {result?.damage.map(({ title, guarantee, count: all, places }) => (
        <div key={title}>
          <h3 class="bad">
            {title}: {count(all)} <span class="dim">{guarantee}</span>
          </h3>
          <ul class="plain">
            {places.map(({ text, find }) => (
              <li class="mono small wrap" key={text}>
                {find === null ? text : <a href={pathTo('find', find)}>{text}</a>}
              </li>
            ))}
          </ul>
          {all > places.length && <p class="dim small">and {count(all - places.length)} more</p>}
        </div>
      ))}
    </>
  );
}

function Verdict({ audit: { state, result } }: { audit: AuditView }) {
  const [look, text] =
    state === 'running'
      ? (['running', 'running'] as const)
      : result === null
        ? (['lost', 'failed'] as const)
        : result.clean
          ? (['saved', 'nothing is damaged'] as const)
          : (['lost', 'damage'] as const);
  return (
    <span class="tag" data-look={look}>
      {text}
    </span>
  );
}

function Who({ audit: { by, startedAt } }: { audit: AuditView }) {
  return (
    <span class="dim">
      asked for by {by} · <Time at={startedAt} />
    </span>
  );
}
