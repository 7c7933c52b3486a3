import type { ControlAction } from '../../contracts/workflow/controls';
import { counted } from '../../domain/format';
import { Empty, Head, Time } from '../parts/bits';
import { Problem, Reading } from '../parts/notices';
import { usePolled } from '../parts/use-polled';
import { readControls, reading } from '../source';

const LOOK_EVERY_MS = 5000;

const IN_WORDS: Record<ControlAction, string> = {
  pause: 'paused batches',
  resume: 'resumed batches',
  flush: 'flushed the buffer',
  drain: 'drained',
  limits: 'changed limits',
  redrive: 'sent dead letters again',
  configure: 'configured other settings',
};

/** Who did what, and when. */
export function ActivityScreen() {
  const { value, problem, again } = usePolled('controls', readControls, LOOK_EVERY_MS);
  const controls = value.value?.controls;
  const shards = reading.value?.status.shards.length ?? 0;
  return (
    <>
      <Head title="Activity">
        <button type="button" onClick={again}>
          Read again
        </button>
      </Head>
      <Problem problem={problem.value} />
      {controls === undefined && !problem.value && <Reading />}
      {controls?.length === 0 && (
        <Empty title="Nothing was done yet">
          <p>Pauses, flushes, drains, changed limits and redrives appear here, with who did them and when.</p>
        </Empty>
      )}
      {controls !== undefined && controls.length > 0 && (
        <ol class="card activity" aria-label="What was done, the latest first">
          {controls.map(({ action, by, at, detail, shards: where }) => (
            <li key={`${action} ${by} ${at}`} data-action={action}>
              <span>
                <b>{by}</b> {IN_WORDS[action]}
                {detail !== null && <span class="mono block">{detail}</span>}
                {where.length < shards && (
                  <span class="dim">
                    {' '}
                    in {where.length === 1 ? `shard ${where[0]}` : counted(where.length, 'shard')}
                  </span>
                )}
              </span>
              <Time at={at} />
            </li>
          ))}
        </ol>
      )}
      <p class="dim small">
        Each batcher remembers its latest 20; older ones are in its history in Temporal. Names are those of
        API keys, or what was typed where there are none.
      </p>
    </>
  );
}
