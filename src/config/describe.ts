import type { LoadedConfig, SettingSource } from './load';
import { settingName } from './names';
import { SETTING_KEYS, SETTINGS, type Setting } from './settings';

/** One line of `keepapart config`. */
export interface ConfigRow {
  /** The setting's name: `HTTP_PORT`. */
  setting: string;
  /** A JSON value that may be shown; for `API_KEYS` only the names and rights. */
  value: unknown;
  /** Empty if there is none. */
  unit: string;
  source: SettingSource;
}

/** Every setting in force and its source, in the order of the documentation, without secrets. */
export function describeConfig({ config, sources }: Pick<LoadedConfig, 'config' | 'sources'>): ConfigRow[] {
  return SETTING_KEYS.map((key) => {
    // Key and value belong together, which the compiler can't infer from a union of keys.
    const { show, unit = '' } = SETTINGS[key] as Setting<unknown>;
    const value = config[key];
    return { setting: settingName(key), value: show ? show(value) : value, unit, source: sources[key] };
  });
}
