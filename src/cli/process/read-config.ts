import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import {
  loadConfig,
  SETTING_KEYS,
  SETTINGS,
  flagName,
  formatBytes,
  type LoadedConfig,
  type Setting,
  type SettingKey,
} from '../../config';
import { KeepapartError } from '../../domain/errors';
import { leaveOutOfHelp } from '../terminal/command-help';
import { suggest } from '../terminal/suggestions';

const DEFAULT_FILE = 'keepapart.config.json';

/**
 * The headings of the settings in the help, as in `docs/CONFIGURATION.md`: each from one setting to the next that is named
 * here.
 */
const HEADINGS: Partial<Record<SettingKey, string>> = {
  httpHost: 'Network:',
  dataDir: 'Folders and names:',
  store: 'Store:',
  taskQueue: 'Folders and names:',
  maxBatchSize: 'Batches:',
  maxAttempts: 'Saving:',
  maxBufferedRecords: 'Limits:',
  outcomeFormat: 'Output:',
};

/** Gives a command one flag per setting, or for some of them, each with its default and what is accepted. */
export function addSettingFlags(command: Command, keys: readonly SettingKey[] = SETTING_KEYS): Command {
  for (const option of settingOptions(keys)) command.addOption(option);
  return command;
}

/**
 * Gives a command one flag per setting whose help doesn't list them: for commands that need the configuration of a system
 * that is set up already.
 */
export function addUnlistedSettingFlags(command: Command): Command {
  const options = settingOptions(SETTING_KEYS);
  for (const option of options) command.addOption(option);
  leaveOutOfHelp(
    command,
    options.slice(1),
    'Every setting can be given as a flag too, such as --data-dir: see `keepapart config --help`.',
  );
  return command;
}

/** The flag for the configuration file, and one per setting. */
function settingOptions(keys: readonly SettingKey[]): Option[] {
  const isEachSetting = keys.length === SETTING_KEYS.length;
  let heading = '';
  return [
    new Option('--config <file>', `configuration file (default: ${DEFAULT_FILE}, when there is one)`),
    ...keys.map((key) => {
      const option = new Option(`${flagName(key)} <value>`, describeSetting(SETTINGS[key]));
      suggest(option, SETTINGS[key].parser.choices ?? []);
      heading = HEADINGS[key] ?? heading;
      return isEachSetting ? option.helpGroup(heading) : option;
    }),
  ];
}

function describeSetting({ parser, default: value, unit, about }: Setting<unknown>): string {
  return `${about} (default: ${defaultText(value, unit)}; accepted: ${parser.expected})`;
}

function defaultText(value: unknown, unit: string | undefined): string {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') return JSON.stringify(value);
  return unit === 'bytes' ? formatBytes(value) : unit === 'ms' ? `${value} ms` : String(value);
}

/** What a command shows to the API. No setting: for a process with an API it would be a misspelt `API_KEYS`. */
export const API_KEY_VARIABLE = 'KEEPAPART_API_KEY';

/** The configuration of this process: its flags, its environment, and the file that they name. */
export function readConfig(flags: Readonly<Record<string, unknown>>): LoadedConfig {
  return readFrom({ ...process.env, [API_KEY_VARIABLE]: undefined }, flags);
}

/** The same for a process with a role: an {@link API_KEY_VARIABLE} there would be an API that is open by mistake. */
export function readRoleConfig(flags: Readonly<Record<string, unknown>>): LoadedConfig {
  return readFrom(process.env, flags);
}

function readFrom(env: NodeJS.ProcessEnv, flags: Readonly<Record<string, unknown>>): LoadedConfig {
  const settings = Object.fromEntries(SETTING_KEYS.map((key) => [key, flags[key]]));
  return loadConfig({ env, file: readFile(flags['config']), flags: settings });
}

function readFile(flag: unknown): { path: string; text: string } | undefined {
  const named = typeof flag === 'string' ? flag : process.env['KEEPAPART_CONFIG'] || undefined;
  const path = named ?? DEFAULT_FILE;
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (missing && named === undefined) return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeepapartError('invalid-config', `The configuration file ${path} can't be read: ${reason}`, {
      cause,
    });
  }
}
