import { KeepapartClient } from '../../../client';
import { colours } from '../../terminal/colours';
import { childOfBatch } from '../../../domain/records/batch';
import { OUTCOME_FORMATS, outcomeLine, type SettledRecord } from '../../../domain/records/outcome';
import type { BatchView } from '../../../contracts/api/answers/batches';
import { sendAndFollow, type FollowedRecord } from './follow';
import { renderFiles, renderRecords, renderTotals } from './render';
import { CLIENT_LISTS, FAILURE_RATE } from './scenario';

const [TEXT] = OUTCOME_FORMATS;
const DEFAULT_WIDTH = 120;

export interface DemoTarget {
  apiUrl: string;
  /** The Web UI's list of workflows, where it is known. */
  webUiUrl: string | undefined;
}

/** Shows the product: four clients, a live view, the files, the sums, and a batch in Temporal's Web UI. */
export async function runDemo({ apiUrl, webUiUrl }: DemoTarget): Promise<void> {
  const api = new KeepapartClient({ url: apiUrl });
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const { settings } = await api.status();
  const lists = CLIENT_LISTS.map((list) => JSON.stringify(list)).join(', ');
  say(`\n${colours.bold('Four clients')} send ${lists} at once to ${apiUrl}.`);
  say(
    `Batches of at most ${settings.maxBatchSize}; kept apart: ${JSON.stringify(settings.conflicts)}; ` +
      `${settings.maxAttempts} attempts per record, four saves of five fail (SAVE_FAILURE_RATE=${FAILURE_RATE}).\n`,
  );

  const live = await liveView();
  const records = await sendAndFollow(api, CLIENT_LISTS, live.show);
  live.done();

  const batchIds = [...new Set(records.map(({ view }) => view.batchId ?? ''))].sort();
  const batches = await Promise.all(batchIds.map((batchId) => api.batch(batchId)));
  say(colours.bold('The files'));
  say(renderFiles(batches, linesOf));
  say(colours.bold('The sums'));
  say(renderTotals(records));
  const shown = batches.find((batch) => (batch.retries ?? 0) > 0) ?? batches[0];
  if (shown !== undefined) {
    say(colours.bold('A batch in the Temporal Web UI'));
    const path = `${encodeURIComponent(childOfBatch(shown.batchId))}/${shown.runId}/history`;
    say(`  ${webUiUrl === undefined ? `workflow ${shown.batchId}` : `${webUiUrl}/${path}`}\n`);
  }
}

/** On a terminal a view that is drawn over itself; elsewhere a block for each change. */
async function liveView() {
  const live = process.stdout.isTTY;
  // An ES module, which compiled CommonJS reaches by a dynamic import alone.
  const { default: logUpdate } = await import('log-update');
  let last = '';
  return {
    show(records: readonly FollowedRecord[]): void {
      const text = renderRecords(records, live ? process.stdout.columns : DEFAULT_WIDTH);
      if (live) logUpdate(text);
      else if (text !== last) process.stdout.write(`${text}\n`);
      last = text;
    },
    done(): void {
      if (live) logUpdate.done();
    },
  };
}

/** The lines of a batch's file in the text format; what the file holds in either format says the same. */
function linesOf(batch: BatchView): string[] {
  return batch.records.map((record) => outcomeLine(record as unknown as SettledRecord, TEXT));
}
