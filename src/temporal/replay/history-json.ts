import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils';

/**
 * Parses a history from the JSON of Temporal's own tools: `temporal workflow show --output json`, or the Web UI's download.
 * @throws Error if the text isn't the JSON of a history that can be replayed
 */
export function historyFromText(text: string): History {
  const history = historyFromJSON(JSON.parse(text));
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (!started) throw new TypeError('a history must begin with the start of its workflow');
  if (started.input?.payloads?.some((payload) => !payload.metadata?.['encoding']))
    throw new TypeError('its payloads were decoded; a replay needs them as Temporal stores them');
  return history;
}
