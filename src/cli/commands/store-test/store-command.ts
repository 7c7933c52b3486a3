import type { Command } from 'commander';
import { AS_JSON } from '../../terminal/flags';
import { addSettingFlags, readConfig } from '../../process/read-config';
import { EXIT } from '../../process/report-failure';

/** `keepapart store test`: holds a store of one's own against the contract. What it needs is loaded when it runs. */
export function registerStore(program: Command): void {
  const store = program.command('store').description('commands for your own store');
  addSettingFlags(
    store
      .command('test')
      .description("check that your own store meets the contract; exits with 1 if it doesn't")
      .argument('<module>', 'the module, as in STORE, e.g. ./my-store.mjs'),
    ['storeOptions', 'storeTimeoutMs'],
  )
    .option(...AS_JSON)
    .addHelpText('after', '\nWhat the store writes is real: give it a database of its own by STORE_OPTIONS.')
    .action(async (module: string, flags: Readonly<Record<string, unknown>>) => {
      const { config } = readConfig(flags);
      const { testStore } = await import('./run.js');
      if (
        !(await testStore({ module, options: config.storeOptions, timeoutMs: config.storeTimeoutMs }, flags))
      )
        process.exitCode = EXIT.failed;
    });
}
