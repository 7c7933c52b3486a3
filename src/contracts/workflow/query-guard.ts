/**
 * Begins the message of a query that the guard in `workflows/query-guard.ts` made fail. The same query can be answered a
 * moment later.
 */
export const QUERY_REFUSED = 'The query arrived between workflow tasks';
