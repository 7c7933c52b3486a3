import { Option, type Command } from 'commander';
import { KeepapartError } from '../../domain/errors';
import { FORMATS, formatOf, type Format, type ReadAs } from './formats';

/** The flags that say how a file of records is read. */
export interface FormatFlags {
  format?: Format;
  column?: string;
  numbers?: true;
}

export function addFormatFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', "what the file is (default: by its name's end; - is ndjson)").choices(
        FORMATS,
      ),
    )
    .option(
      '--column <name>',
      'of CSV: the cells of this column as records instead of an object for each row',
    )
    .option('--numbers', 'of CSV: cells that are numbers as numbers instead of texts');
}

/** How a file of this name is to be read. Throws `invalid-config` for flags that don't go together. */
export function readAsOf(name: string, flags: FormatFlags): ReadAs {
  const format = flags.format ?? formatOf(name);
  if (format !== 'csv' && (flags.column !== undefined || flags.numbers === true))
    throw new KeepapartError('invalid-config', `--column and --numbers are for CSV; ${name} is ${format}.`);
  return { format, column: flags.column, numbers: flags.numbers === true };
}
