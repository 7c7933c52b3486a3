/**
 * Headers of `POST /v1/records` with NDJSON. A client that sends `ask`, with any value, receives interim responses (103,
 * which HTTP clients ignore by default) with the number of durable records so far in `accepted`.
 */
export const STREAM_PROGRESS = { ask: 'keepapart-progress', accepted: 'keepapart-accepted' } as const;
