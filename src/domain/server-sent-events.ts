/** An event as the HTML standard frames it: fields in lines, a blank line behind each event. */
export interface ServerSentEvent {
  event: string;
  id: string;
  data: string;
}

/**
 * Reads server-sent events from text that arrives in pieces cut anywhere. Takes line feeds alone as line ends, which is
 * what keepapart sends; comments and events without data are left out.
 * @returns takes the next piece and returns the events that it completes
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventReader(): (piece: string) => ServerSentEvent[] {
  let rest = '';
  return (piece) => {
    const blocks = (rest + piece).split('\n\n');
    rest = blocks.pop() ?? '';
    return blocks.map(eventOf).filter(({ data }) => data !== '');
  };
}

function eventOf(block: string): ServerSentEvent {
  const event = { event: 'message', id: '', data: [] as string[] };
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') event.data.push(value);
    else if (name === 'event' || name === 'id') event[name] = value;
  }
  return { ...event, data: event.data.join('\n') };
}
