import type { ShardView } from '../../contracts/api/answers/status';
import type { TaskQueueView, WorkersView } from '../../contracts/api/answers/workers';
import { RUN_LIMITS } from '../../contracts/workflow/run-limits';
import { ago, bytes, count, counted, duration } from '../../domain/format';
import { Empty, figure, Head, Stat } from '../parts/bits';
import { Table } from '../parts/table';
import { Problem, Reading } from '../parts/notices';
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
      <Problem problem={problem.value} />
      {view === undefined && !problem.value && <Reading />}
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
    <Table
      label="Workers"
      rows={workers}
      keyOf={({ identity }) => identity}
      columns={[
        ['Process', ({ identity }) => identity, 'mono'],
        ['Build', ({ buildId }) => <code>{buildId ?? 'none'}</code>],
        [
          'Last poll',
          ({ lastPolledAt }) => <span title={lastPolledAt}>{ago(lastPolledAt, nowMs.value)}</span>,
        ],
        ['Task queues', ({ taskQueues }) => taskQueues.join(', '), 'mono'],
      ]}
    />
  );
}

function Queues({ queues }: { queues: readonly TaskQueueView[] }) {
  return (
    <section class="stack">
      <h2>Task queues</h2>
      <Table
        label="Task queues"
        rows={queues}
        keyOf={({ name, kind }) => `${name} ${kind}`}
        columns={[
          ['Tasks', ({ purpose }) => purpose],
          [
            'Queue',
            ({ name, kind }) => (
              <>
                <code>{name}</code> <span class="dim">{kind}</span>
              </>
            ),
          ],
          [
            'Workers',
            ({ pollers }) => <span class={pollers === 0 ? 'bad' : ''}>{count(pollers)}</span>,
            'number',
          ],
          ['Waiting', ({ backlog }) => figure(backlog), 'number'],
          ['Oldest', ({ backlog, backlogAgeMs }) => (backlog ? duration(backlogAgeMs ?? 0) : '–'), 'number'],
          ['In/s', ({ addedPerSecond }) => figure(addedPerSecond), 'number'],
          ['Out/s', ({ dispatchedPerSecond }) => figure(dispatchedPerSecond), 'number'],
        ]}
      />
    </section>
  );
}

function Runs({ shards }: { shards: readonly ShardView[] }) {
  if (shards.length === 0) return null;
  return (
    <section class="stack">
      <h2>Batchers</h2>
      <Table
        label="Batchers"
        rows={shards}
        keyOf={({ batcher }) => batcher}
        columns={[
          ['Batcher', ({ batcher }) => batcher, 'mono'],
          [
            'History of this run',
            ({ run }) => (
              <>
                <Bound value={run.historyEvents} most={RUN_LIMITS.historyEvents} />
                {count(run.historyEvents)} of {count(RUN_LIMITS.historyEvents)} events,{' '}
                {bytes(run.historyBytes)}
              </>
            ),
          ],
          ['Messages', ({ run }) => `${count(run.messages)} of ${count(RUN_LIMITS.messages)}`, 'number'],
          ['Runs before', ({ run }) => count(run.continuedAsNew), 'number'],
          ['Pages', ({ pages }) => count(pages), 'number'],
        ]}
      />
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
