import type { Command } from 'commander';
import { KeepapartError } from '../../../domain/errors';
import { choiceOption } from '../../terminal/command-help';
import { FORMATS, formatOf, type Format, type ReadAs } from './formats';

/** The flags that say how a file of records is read. */
export interface FormatFlags {
  format?: Format;
  column?: string;
  numbers?: true;
  delimiter?: string;
}

export function addFormatFlags(command: Command): Command {
  return command
    .addOption(
      choiceOption(
        '--format <format>',
        "what the file is (default: by its name's end; - is ndjson)",
        FORMATS,
      ),
    )
    .option('--column <name>', 'CSV: use the cells of this column as records instead of an object per row')
    .option('--numbers', 'CSV: read numeric cells as numbers instead of strings')
    .option('--delimiter <character>', 'CSV: column separator, or tab (default: a comma; for .tsv a tab)');
}

/** How a file of this name is to be read. Throws `invalid-config` for flags that don't go together. */
export function readAsOf(name: string, flags: FormatFlags): ReadAs {
  const { column, numbers = false } = flags;
  const format = flags.format ?? formatOf(name);
  if (format === 'csv') return { format, column, numbers, delimiter: delimiterOf(name, flags.delimiter) };
  if (column === undefined && !numbers && flags.delimiter === undefined)
    return { format, column, numbers, delimiter: undefined };
  throw new KeepapartError(
    'invalid-config',
    `--column, --numbers and --delimiter are for CSV; ${name} is ${format}.`,
  );
}

function delimiterOf(name: string, flag: string | undefined): string | undefined {
  if (flag === undefined) return name.toLowerCase().endsWith('.tsv') ? '\t' : undefined;
  if (flag === 'tab' || flag === '\\t') return '\t';
  if (/^[^"\r\n]$/u.test(flag)) return flag;
  throw new KeepapartError(
    'invalid-config',
    `--delimiter has to be one character, neither a quote nor a line end, or tab; it is ${flag}.`,
  );
}
