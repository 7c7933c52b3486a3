import { print } from '../../terminal/text';
import { readPolicy } from './policy';
import { rulesOfFile } from './read-rules';
import { renderTests, type FileResult } from './render-tests';
import { runPolicy } from './run-policy';

/**
 * `keepapart rules test`: runs the tests that stand in files beside rules. Nothing is run before every file could be read.
 * @param rulesFile whose rules are tested instead of those of each file
 * @returns whether all passed
 */
export async function testRules(
  files: readonly string[],
  rulesFile: string | undefined,
  flags: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const rules = rulesFile === undefined ? undefined : await rulesOfFile(rulesFile);
  const policies = [];
  for (const file of files) policies.push({ file, policy: await readPolicy(file) });
  const results = policies.map(({ file, policy }): FileResult => ({
    file,
    tests: runPolicy(rules === undefined ? policy : { ...policy, rules }),
  }));
  const passed = results.every(({ tests }) => tests.every((test) => test.passed));
  print(flags, { passed, files: results }, () => renderTests(results));
  return passed;
}
