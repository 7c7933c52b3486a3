import path from 'node:path';
import { Client, Connection, defaultPayloadConverter } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import type { Program } from '../../harness/programs';
import type { Stage } from '../stage';

export const MAIN = path.resolve(__dirname, '../../../dist/src/cli/main.js');
/** The last line that a role of keepapart prints when it is up. */
export const ROLE_UP = /Ctrl-C stops it/;

/** Settings that let any number of keepapart's processes run side by side. */
export const ANY_PORTS = {
  KEEPAPART_HTTP_PORT: '0',
  KEEPAPART_TCP_PORT: '0',
  KEEPAPART_TEMPORAL_PORT: '0',
  KEEPAPART_UI_PORT: '0',
};

/** keepapart's embedded Temporal server, with its pragmas, alone. @returns where it listens */
export async function startTemporal(stage: Stage): Promise<string> {
  const env = { ...ANY_PORTS, KEEPAPART_DATA_DIR: await stage.dataFolder('temporal') };
  return row(await stage.startNode('server', [MAIN, 'temporal'], { env, up: ROLE_UP }), 'Temporal');
}

/** What a role of keepapart says of itself in its summary. */
export function row({ output }: Program, name: string): string {
  return new RegExp(`^ +${name} +(\\S+)$`, 'm').exec(output())?.[1] ?? '';
}

/** What the work has left in Temporal's database. */
export interface HistoryFigures {
  events: number;
  workflowTasks: number;
}

/** Workflows of a type that are read to the end, to know what share of their events are workflow tasks. */
const SAMPLED = 40;

/** Events of all workflows that the server has, and their workflow tasks: counted in some of each type, scaled to all. */
export async function historyFigures(address: string): Promise<HistoryFigures> {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, dataConverter: { payloadCodecs: [UNREAD] } });
    const figures: HistoryFigures = { events: 0, workflowTasks: 0 };
    const byType = new Map<string, { workflowId: string; runId: string }[]>();
    for await (const { type, workflowId, runId } of client.workflow.list({ pageSize: 100 }))
      byType.set(type, [...(byType.get(type) ?? []), { workflowId, runId }]);
    for (const runs of byType.values()) {
      const step = Math.max(1, Math.floor(runs.length / SAMPLED));
      const sample = runs.filter((_, i) => i % step === 0);
      const read = await Promise.all(sample.map((run) => countEvents(client, run)));
      const scale = runs.length / sample.length;
      for (const { events, workflowTasks } of read) {
        figures.events += events * scale;
        figures.workflowTasks += workflowTasks * scale;
      }
    }
    return figures;
  } finally {
    await connection.close();
  }
}

/** Memos of what is listed may be encrypted, and nobody reads them. */
const UNREAD: PayloadCodec = {
  encode: (payloads) => Promise.resolve(payloads),
  decode: (payloads) => Promise.resolve(payloads.map(() => defaultPayloadConverter.toPayload(null))),
};

async function countEvents(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<HistoryFigures> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const tasks = events?.filter(({ workflowTaskCompletedEventAttributes: task }) => task != null) ?? [];
  return { events: events?.length ?? 0, workflowTasks: tasks.length };
}
