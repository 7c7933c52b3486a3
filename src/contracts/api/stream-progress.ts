/**
 * How a client learns while it sends a stream of records how many are durable: it asks by `ask`, any value, and gets
 * interim answers (103, which HTTP has clients pass over that don't know them) with the number in `accepted`.
 */
export const STREAM_PROGRESS = { ask: 'keepapart-progress', accepted: 'keepapart-accepted' } as const;
