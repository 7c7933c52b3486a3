import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cutAsBatcher } from '../../src/cli/commands/rules/explain';
import { readPolicy } from '../../src/cli/commands/rules/policy';
import { renderExplanation } from '../../src/cli/commands/rules/render-explanation';
import { runPolicy } from '../../src/cli/commands/rules/run-policy';
import { parseConflictRules } from '../../src/domain/rules';
import { WHY_NO_LARGER } from '../../src/domain/explain';
import type { JsonValue } from '../../src/domain/json';

/** What docs/RULES.md shows is what comes out. */
const PAGE = readFileSync(resolve(__dirname, '../../docs/RULES.md'), 'utf8');

/** The first block of code that contains a text. */
function blockWith(text: string): string {
  const blocks = [...PAGE.matchAll(/^```\w*\n([^]*?)^```$/gm)].map(([, block]) => block!);
  return blocks.find((block) => block.includes(text))!;
}

test('The rules in its tables are rules.', () => {
  const [, table = ''] = /^\| to say [^\n]*\n([^]*?)\n\n/m.exec(PAGE) ?? [];
  const rules = [...table.matchAll(/`([^`]+)`/g)].map(([, rule]) => JSON.parse(rule!) as JsonValue);
  expect(rules.length).toBeGreaterThan(5);
  for (const rule of rules) expect(parseConflictRules([rule]).problems).toEqual([]);
});

test('Its cut is explained as it says.', () => {
  const block = blockWith('keepapart rules explain -');
  const [command = '', output = ''] = block.split(/(?<=--max-batch-size 3\n)/);
  const values = [...command.matchAll(/'(\{"sku[^']+)'/g)].map(
    ([, value]) => JSON.parse(value!) as JsonValue,
  );
  const { rules } = parseConflictRules(JSON.parse(/--conflicts '([^']+)'/.exec(command)![1]!));
  const { batches, summary } = cutAsBatcher(values, { rules, maxBatchSize: 3 });
  const shown = batches.map((batch) => ({ ...batch, records: batch.records.map(({ value }) => value) }));
  expect(renderExplanation({ batches: shown, summary, rules, maxBatchSize: 3 })).toBe(output);
});

test('Its tests pass.', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepapart-rules-'));
  try {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, blockWith('tests:\n'));
    const results = runPolicy(await readPolicy(file));
    expect(results.map(({ passed }) => passed)).toEqual([true]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('It tells every reason for which a batch is no larger.', () => {
  const told = [...PAGE.matchAll(/^\| `([a-z_]+)` +\| [a-z]/gm)].map(([, why]) => why);
  expect(told).toEqual(expect.arrayContaining(Object.values(WHY_NO_LARGER)));
});
