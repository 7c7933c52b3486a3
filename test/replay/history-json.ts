import { hostname } from 'node:os';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils';

/** How this process calls itself towards Temporal, also in the name of its sticky queue: `pid@host`. */
const MYSELF = `${process.pid}@${hostname()}`;

/**
 * A history that this process recorded, in the JSON form of Temporal's own tools, without anything that names a
 * machine; an event a line, so that it is small and can still be read and compared.
 */
export function historyToText(history: History): string {
  const { events } = JSON.parse(historyToJSON(history).replaceAll(MYSELF, 'worker'), (key, value: unknown) =>
    // It names the folders of a machine; what a replay branches on are type and message.
    key === 'stackTrace' ? undefined : value,
  ) as { events: unknown[] };
  return `{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
}
