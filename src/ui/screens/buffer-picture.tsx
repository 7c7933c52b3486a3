import type { BufferView } from '../../contracts/api/answers/buffer';
import { clock, count, counted } from '../../domain/format';
import { matrixOf, type Matrix } from '../model/matrix';
import { RecordLink, Value } from '../parts/bits';
import { Problem, Reading } from '../parts/notices';
import { Table, type Column } from '../parts/table';
import { usePolled } from '../parts/use-polled';
import { pathTo } from '../router';
import { readBuffer, reading } from '../source';

const LOOK_EVERY_MS = 3000;
/** What is drawn; the figures are of all. */
const ROWS = 12;
const BATCHES = 20;
const HELD = 20;

/** What is buffered, cut by the partitioner in this page; in scope `running` also what holds it. */
export function BufferPicture() {
  const { value, problem } = usePolled('buffer', readBuffer, LOOK_EVERY_MS);
  const shards = value.value?.shards.filter(({ records }) => records.length > 0);
  return (
    <section class="card stack" aria-label="The buffer now">
      <h2>The buffer now</h2>
      <Problem problem={problem.value} />
      {shards === undefined && !problem.value && <Reading />}
      {shards?.length === 0 && <p class="dim">Nothing is buffered.</p>}
      {shards?.map((shard) => (
        <Shard key={shard.shard} shard={shard} />
      ))}
    </section>
  );
}

type Row = Matrix['rows'][number];
type ShardBuffer = BufferView['shards'][number];

function Shard({ shard: { batcher, records, more } }: { shard: ShardBuffer }) {
  const settings = reading.value?.status.settings;
  if (settings === undefined) return null;
  const { rows, batches, lowerBound } = matrixOf(records, {
    rules: settings.conflicts,
    maxBatchSize: settings.maxBatchSize,
  });
  const cells = Array.from({ length: Math.min(batches, BATCHES) }, (_, batch): Column<Row> => [
    String(batch + 1),
    ({ cells }) => !!cells[batch] && <i>{cells[batch]}</i>,
    'cell',
  ]);
  const held = records.filter(({ heldBy }) => heldBy !== null);
  return (
    <>
      <p>
        {more > 0 && `The first ${count(records.length)} of ${count(records.length + more)}: `}
        <b>{counted(records.length, 'record')}</b> in <b>{counted(batches, 'batch')}</b>,{' '}
        {batches === lowerBound ? 'the fewest possible' : `at least ${count(lowerBound)} needed`}. A column is
        a batch, a row are records that the rules treat alike.
      </p>
      <Table
        label={`Batches to be of ${batcher}`}
        class="scroll matrix"
        rows={rows.slice(0, ROWS)}
        keyOf={({ label, cells }) => `${label} ${cells.join()}`}
        columns={[
          ['Records', ({ label, isMixed }) => (isMixed ? `${label} and others` : label), 'mono'],
          ['All', ({ records }) => count(records), 'number'],
          ...cells,
        ]}
      />
      {(rows.length > ROWS || batches > BATCHES) && (
        <p class="dim small">
          Drawn are {count(Math.min(rows.length, ROWS))} of {counted(rows.length, 'row')} and{' '}
          {count(cells.length)} of {counted(batches, 'batch')}.
        </p>
      )}
      {held.length > 0 && (
        <Table
          label="Held by conflicting records"
          class="scroll"
          rows={held.slice(0, HELD)}
          keyOf={({ recordId }) => recordId}
          columns={[
            ['Value', ({ value }) => <Value value={value} state="buffered" />],
            ['Record', ({ recordId }) => <RecordLink id={recordId} />, 'mono'],
            [
              'Held by',
              ({ heldBy }) =>
                heldBy?.batches.map((id) => (
                  <a key={id} href={pathTo('batches', id)}>
                    {id}{' '}
                  </a>
                )),
              'mono',
            ],
            ['Until', ({ heldBy }) => untilText(heldBy)],
          ]}
        />
      )}
      {held.length > HELD && <p class="dim small">and {count(held.length - HELD)} more are held</p>}
    </>
  );
}

function untilText(heldBy: ShardBuffer['records'][number]['heldBy']): string {
  if (heldBy === null) return '';
  const { batches, until } = heldBy;
  const ends = batches.length === 0 ? '' : batches.length === 1 ? 'that batch has ended' : 'those have ended';
  return [ends, until === null ? '' : clock(until)].filter((text) => text !== '').join(', then ');
}
