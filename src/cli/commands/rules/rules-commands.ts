import type { Command } from 'commander';
import { AS_JSON } from '../../terminal/flags';
import { addFormatFlags, readAsOf, type FormatFlags } from '../import/read-as';
import { addSettingFlags, readConfig } from '../../process/read-config';
import { EXIT } from '../../process/report-failure';

type Flags = Readonly<Record<string, unknown>>;

/**
 * `keepapart rules check`, `rules explain` and `rules test`: what rules do, before they are in force. Without a server; what
 * each needs is loaded when it runs.
 */
export function registerRules(program: Command): void {
  const rules = program
    .command('rules')
    .description('check conflict rules, explain what they do, and test them');

  addSettingFlags(
    rules
      .command('check')
      .description('list the rules that must be changed, and what to write instead')
      .argument('[file]', 'YAML or JSON with rules (default: the configured rules)'),
    ['conflicts'],
  )
    .option(...AS_JSON)
    .addHelpText('after', '\nExamples:\n  $ keepapart rules check\n  $ keepapart rules check rules.yaml')
    .action(async (file: string | undefined, flags: Flags) => {
      const { checkRules } = await import('./check.js');
      process.exitCode = await checkRules(file, flags);
    });

  addSettingFlags(
    addFormatFlags(
      rules
        .command('explain')
        .description("cut the records of a file like a batcher, and explain why each batch isn't larger")
        .argument('<file>', 'NDJSON, a JSON list or CSV, oldest record first; - for standard input')
        .option('--rules <file>', 'YAML or JSON with rules (default: the configured rules)'),
    ),
    ['maxBatchSize', 'conflicts'],
  )
    .option(...AS_JSON)
    .addHelpText(
      'after',
      '\nExample:\n  $ keepapart rules explain orders.ndjson --rules rules.yaml --max-batch-size 20',
    )
    .action(async (name: string, flags: Flags & FormatFlags & { rules?: string }) => {
      const { config } = readConfig(flags);
      const readAs = readAsOf(name, flags);
      const { explain } = await import('./explain.js');
      const { maxBatchSize, conflicts: inForce } = config;
      await explain({ name, readAs, rulesFile: flags.rules, inForce, maxBatchSize }, flags);
    });

  rules
    .command('test')
    .description('run the tests written beside rules in YAML or JSON; exits with 1 if one fails')
    .argument('<file...>', 'files with rules, maxBatchSize and tests')
    .option('--rules <file>', 'test these rules instead of those of each file')
    .option(...AS_JSON)
    .addHelpText('after', '\nExample:\n  $ keepapart rules test examples/rules/*.yaml')
    .action(async (files: string[], flags: Flags & { rules?: string }) => {
      const { testRules } = await import('./test.js');
      if (!(await testRules(files, flags.rules, flags))) process.exitCode = EXIT.failed;
    });
}
