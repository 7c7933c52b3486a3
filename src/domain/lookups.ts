/** What an id may be of. */
export interface Lookup {
  kind: 'record' | 'request' | 'batch' | 'file';
  /** Of a record: the id of its request. */
  id: string;
  /** Of a record: its place in its request. */
  index?: number;
}

/**
 * What somebody may mean by a text, in the order in which it is looked up: the name of a file gives its batch,
 * `<request>:<index>` a record, anything else is a request or a batch.
 */
export function lookupsOf(query: string): Lookup[] {
  const text = query.trim();
  if (text === '') return [];
  const file = /test_log_\d+_(.+)\.log$/.exec(text)?.[1];
  if (file !== undefined) return [{ kind: 'file', id: file }];
  const record = /^(.+):(\d{1,9})$/.exec(text);
  const whole: Lookup[] = [
    { kind: 'request', id: text },
    { kind: 'batch', id: text },
  ];
  const [, request, index] = record ?? [];
  return request === undefined ? whole : [{ kind: 'record', id: request, index: Number(index) }, ...whole];
}
