import type { ShardView } from '../../contracts/api/views';
import type { TaskQueueView, WorkersView } from '../../contracts/api/workers';
import { RUN_LIMITS } from '../../contracts/workflow/run-limits';
import { ago, bytes, count, counted, duration } from '../../domain/format';
import { Empty, Head, Stat } from '../parts/bits';
import { usePolled } from '../parts/use-polled';
import { nowMs, reading, readWorkers } from '../source';

const LOOK_EVERY_MS = 5000;

/** Who works, what waits for them, and how far the run of each batcher has grown. */
export function WorkersScreen() {
  const { value, problem } = usePolled('workers', readWorkers, LOOK_EVERY_MS);
  const view = value.value;
  return (
    <>
      <Head title="Workers" />
      {problem.value && (
        <p class="bad" role="alert">
          {problem.value.message}
        </p>
      )}
      {view === undefined && !problem.value && <p class="dim">Reading…</p>}
      {view && (
        <>
          <Figures view={view} />
          {view.isServed ? <Processes view={view} /> : <NoWorker queue={view.taskQueues[0]?.name ?? ''} />}
          <Queues queues={view.taskQueues} />
        </>
      )}
      <Runs shards={reading.value?.status.shards ?? []} />
    </>
  );
}

function Figures({ view: { workers, taskQueues, slots } }: { view: WorkersView }) {
  const backlog = taskQueues.reduce((sum, queue) => sum + (queue.backlog ?? 0), 0);
  const oldest = Math.max(0, ...taskQueues.map(({ backlogAgeMs }) => backlogAgeMs ?? 0));
  const builds = new Set(workers.map(({ buildId }) => buildId ?? 'none'));
  return (
    <dl class="flow four card">
      <Stat
        label="Workers"
        value={count(workers.length)}
        note={counted(builds.size, 'build')}
        colour="saved"
      />
      <Stat
        label="Tasks that wait"
        value={count(backlog)}
        note={backlog === 0 ? 'for nobody' : `oldest ${duration(oldest)}`}
        colour="wait"
      />
      <Stat
        label="Activities at once"
        value={count(slots.activities * workers.length)}
        note={`${count(slots.activities)} a worker`}
        colour="flight"
      />
      <Stat
        label="Workflow tasks at once"
        value={count(slots.workflowTasks * workers.length)}
        note={`${count(slots.workflowTasks)} a worker`}
      />
    </dl>
  );
}

function NoWorker({ queue }: { queue: string }) {
  return (
    <Empty title="No worker">
      <p>
        Nobody polls task queue <code class="mono">{queue}</code>, so no batch starts or ends. Records are
        still accepted, and none is lost. Start one with <code class="mono">keepapart worker</code>.
      </p>
    </Empty>
  );
}

function Processes({ view: { workers } }: { view: WorkersView }) {
  return (
    <div class="scroll card" tabIndex={0} role="region" aria-label="Workers">
      <table>
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">Build</th>
            <th scope="col">Last poll</th>
            <th scope="col">Task queues</th>
          </tr>
        </thead>
        <tbody>
          {workers.map(({ identity, buildId, lastPolledAt, taskQueues }) => (
            <tr key={identity}>
              <th scope="row" class="mono">
                {identity}
              </th>
              <td>
                {buildId === null ? <span class="dim">none</span> : <code class="mono">{buildId}</code>}
              </td>
              <td title={lastPolledAt}>{ago(lastPolledAt, nowMs.value)}</td>
              <td class="mono">{taskQueues.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Queues({ queues }: { queues: readonly TaskQueueView[] }) {
  return (
    <section class="stack">
      <h2>Task queues</h2>
      <div class="scroll card" tabIndex={0} role="region" aria-label="Task queues">
        <table>
          <thead>
            <tr>
              <th scope="col">Tasks</th>
              <th scope="col">Queue</th>
              <th scope="col" class="number">
                Workers
              </th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Oldest
              </th>
              <th scope="col" class="number">
                In/s
              </th>
              <th scope="col" class="number">
                Out/s
              </th>
            </tr>
          </thead>
          <tbody>
            {queues.map((queue) => (
              <tr key={`${queue.name} ${queue.kind}`}>
                <th scope="row">{queue.purpose}</th>
                <td>
                  <code class="mono">{queue.name}</code> <span class="dim">{queue.kind}</span>
                </td>
                <td class={queue.pollers === 0 ? 'number bad' : 'number'}>{count(queue.pollers)}</td>
                <td class="number">{figure(queue.backlog)}</td>
                <td class="number">{queue.backlog ? duration(queue.backlogAgeMs ?? 0) : '–'}</td>
                <td class="number">{figure(queue.addedPerSecond)}</td>
                <td class="number">{figure(queue.dispatchedPerSecond)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Runs({ shards }: { shards: readonly ShardView[] }) {
  if (shards.length === 0) return null;
  return (
    <section class="stack">
      <h2>Batchers</h2>
      <div class="scroll card" tabIndex={0} role="region" aria-label="Batchers">
        <table>
          <thead>
            <tr>
              <th scope="col">Batcher</th>
              <th scope="col">History of this run</th>
              <th scope="col" class="number">
                Messages
              </th>
              <th scope="col" class="number">
                Runs before
              </th>
              <th scope="col" class="number">
                Pages
              </th>
            </tr>
          </thead>
          <tbody>
            {shards.map(({ batcher, run, pages }) => (
              <tr key={batcher}>
                <th scope="row" class="mono">
                  {batcher}
                </th>
                <td>
                  <Bound value={run.historyEvents} most={RUN_LIMITS.historyEvents} />
                  {count(run.historyEvents)} of {count(RUN_LIMITS.historyEvents)} events,{' '}
                  {bytes(run.historyBytes)}
                </td>
                <td class="number">
                  {count(run.messages)} of {count(RUN_LIMITS.messages)}
                </td>
                <td class="number">{count(run.continuedAsNew)}</td>
                <td class="number">{count(pages)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="dim small">A run that reaches a bound continues as new and keeps everything it holds.</p>
    </section>
  );
}

function Bound({ value, most }: { value: number; most: number }) {
  return (
    <span class="bound-bar" aria-hidden="true">
      <i style={{ width: `${Math.min(100, (value / most) * 100)}%` }} />
    </span>
  );
}

function figure(value: number | null): string {
  return value === null ? '–' : count(value);
}
