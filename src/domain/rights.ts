/**
 * Rights of an API key: `ingest` sends records, `read` sees records, batches and status, `operate` controls the pipeline
 * (flush, pause, resume, drain, limits, redrive). Each call under `/v1` needs exactly one of them.
 */
export const RIGHTS = ['ingest', 'read', 'operate'] as const;
export type Right = (typeof RIGHTS)[number];
