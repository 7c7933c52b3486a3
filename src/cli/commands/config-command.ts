import type { Command } from 'commander';
import { describeConfig, renderConfigTable } from '../../config';
import { addSettingFlags, readConfig } from '../process/read-config';
import { jsonText } from '../terminal/table';

/** `keepapart config`. */
export function registerConfig(program: Command): void {
  addSettingFlags(
    program.command('config').description('print every setting in force and where it came from'),
  )
    .option('--json', 'as JSON')
    .action((flags: Readonly<Record<string, unknown>>) => {
      const rows = describeConfig(readConfig(flags));
      process.stdout.write(flags['json'] === true ? `${jsonText(rows, 2)}\n` : renderConfigTable(rows));
    });
}
