/**
 * What an API key lets its holder do: send records; see what became of them; change how they are handled (flush, pause,
 * resume, drain, redrive). Every call under `/v1` needs exactly one of them.
 */
export const RIGHTS = ['ingest', 'read', 'operate'] as const;
export type Right = (typeof RIGHTS)[number];
