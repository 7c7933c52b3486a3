import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils';

/**
 * A history from the JSON of Temporal's own tools: `temporal workflow show --output json`, the Web UI's download.
 * @throws Error for a text that isn't the JSON of a history, or not one that can be replayed
 */
export function historyFromText(text: string): History {
  const history = historyFromJSON(JSON.parse(text));
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  if (!started) throw new TypeError('a history has to begin with the workflow that started');
  if (started.input?.payloads?.some((payload) => !payload.metadata?.['encoding']))
    throw new TypeError('its payloads were decoded; a replay needs them as Temporal keeps them');
  return history;
}
