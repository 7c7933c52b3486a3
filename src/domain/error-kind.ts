/** What errors have in common that differ from record to record: a `#` stands for ids, numbers and quoted values. */
export function errorKind(error: string | null): string {
  if (error === null) return 'no error was reported';
  return error
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/gi, '#')
    .replaceAll(/"[^"]{0,200}"/g, '#')
    .replaceAll(/\b\d[\d.:,_-]*/g, '#');
}
