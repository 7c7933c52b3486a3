/**
 * Start of the error message of a query that the guard in `workflows/query-guard.ts` rejected. The same query may succeed
 * a moment later.
 */
export const QUERY_REFUSED = 'The query arrived between workflow tasks';
