import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  loadConfig,
  SETTING_KEYS,
  SETTINGS,
  flagName,
  type LoadedConfig,
  type SettingKey,
} from '../../config';
import { KeepapartError } from '../../domain/errors';

const DEFAULT_FILE = 'keepapart.config.json';

/** Gives a command one flag per setting, or for some of them. */
export function addSettingFlags(command: Command, keys: readonly SettingKey[] = SETTING_KEYS): Command {
  command.option('--config <file>', `configuration file (default: ${DEFAULT_FILE}, when there is one)`);
  for (const key of keys) command.option(`${flagName(key)} <value>`, SETTINGS[key].about);
  return command;
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
