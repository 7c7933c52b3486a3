import path from 'node:path';

/** What a mutant is, in words that are the same in every run: `src/a.ts:3:5-3:9 EqualityOperator: <replacement>`. */
export function nameOf({ fileName, location: { start, end }, mutatorName, replacement = '' }) {
  const file = path.relative(process.cwd(), fileName);
  const place = `${start.line}:${start.column}-${end.line}:${end.column}`;
  return `${file}:${place} ${mutatorName}: ${replacement.replace(/\s+/g, ' ').slice(0, 160)}`;
}
