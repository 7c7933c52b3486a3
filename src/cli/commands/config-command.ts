import type { Command } from 'commander';
import { describeConfig, type ConfigRow } from '../../config';
import { addSettingFlags, readConfig } from '../process/read-config';
import { colours } from '../terminal/colours';
import { AS_JSON } from '../terminal/flags';
import { table, type Cell } from '../terminal/table';
import { print } from '../terminal/text';

/** `keepapart config`. */
export function registerConfig(program: Command): void {
  addSettingFlags(
    program.command('config').description('print every setting in force and where it came from'),
  )
    .option(...AS_JSON)
    .action((flags: Readonly<Record<string, unknown>>) =>
      print(flags, describeConfig(readConfig(flags)), renderConfig),
    );
}

/** A line for each setting; what isn't a default stands out on a terminal. */
function renderConfig(rows: readonly ConfigRow[]): string {
  const head = ['SETTING', 'VALUE', 'UNIT', 'SOURCE'];
  const cells = rows.map(({ setting, value, unit, source }): Cell[] => [
    setting,
    typeof value === 'string' ? value : JSON.stringify(value),
    unit,
    source === 'default' ? source : { text: source, paint: colours.bold },
  ]);
  return `${table([head, ...cells])}\n`;
}
