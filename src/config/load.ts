import { KeepapartError, type FieldProblem } from '../domain/errors';
import { closestName, ENV_PREFIX, envName, flagName, settingName } from './names';
import { relationProblems } from './relations';
import { SETTING_KEYS, SETTINGS, type Config, type Setting, type SettingKey } from './settings';

/** Where a value came from, weakest first. */
export type SettingSource = 'default' | 'file' | 'environment' | 'flag' | 'option';

export interface ConfigInput {
  /** The whole environment; only names that start with `KEEPAPART_` are looked at. */
  env: Readonly<Record<string, string | undefined>>;
  /** `keepapart.config.json`, if there is one; `path` is only for messages. */
  file?: { path: string; text: string } | undefined;
  /** By key, as command-line parsers give them: `httpPort` for `--http-port`. `undefined` counts as not given. */
  flags?: Readonly<Record<string, unknown>> | undefined;
  /** By key, as a program has them that embeds keepapart. `undefined` counts as not given. */
  options?: Readonly<Record<string, unknown>> | undefined;
}

export interface LoadedConfig {
  config: Config;
  sources: Readonly<Record<SettingKey, SettingSource>>;
}

/** Settings as one source has them. */
interface Layer {
  source: SettingSource;
  entries: readonly (readonly [name: string, raw: unknown])[];
  /** How this source calls a setting. */
  nameOf(key: SettingKey): string;
  /** How problems call an entry, or a part of it. */
  fieldOf(name: string): string;
}

/** What the sources have said so far; a setting with a problem has no value. */
interface Gathered {
  values: Map<SettingKey, unknown>;
  sources: Map<SettingKey, SettingSource>;
  /** How the user calls each setting that was written. */
  fields: Map<SettingKey, string>;
  problems: FieldProblem[];
}

/**
 * The configuration in force: flags over the environment over the file over defaults. Pure: reads nothing itself.
 *
 * Every source is checked in full, also where a stronger one overrides it, and names that no setting has are refused.
 * An environment variable with an empty value counts as not set, as `${NAME:-}` in a compose file leaves it.
 * @throws KeepapartError `invalid-config` with all problems at once; repeating it can't help. Secrets are never in it.
 */
export function loadConfig({ env, file, flags = {}, options = {} }: ConfigInput): LoadedConfig {
  const gathered: Gathered = {
    values: new Map(SETTING_KEYS.map((key) => [key, SETTINGS[key].default])),
    sources: new Map(SETTING_KEYS.map((key) => [key, 'default'])),
    fields: new Map(),
    problems: [],
  };
  const { values, sources, fields, problems } = gathered;
  const fromFile = file && fileLayer(file, problems);
  for (const layer of [fromFile, envLayer(env), flagLayer(flags), optionLayer(options)])
    if (layer) readLayer(layer, gathered);

  for (const key of SETTING_KEYS) {
    const { defaultIf } = SETTINGS[key] as Setting<unknown>;
    if (defaultIf === undefined || sources.get(key) !== 'default') continue;
    if (values.get(defaultIf.key as SettingKey) === defaultIf.is) values.set(key, defaultIf.default);
  }

  // Each value came from the parser under its own key, which is what the type says.
  const config = Object.fromEntries(values) as Partial<Config>;
  // An unreadable file may have held just what would be missed here.
  if (file === undefined || fromFile !== undefined) {
    problems.push(...relationProblems({ values: config, writtenAs: (key) => fields.get(key) }));
  }
  if (problems.length > 0) throw new KeepapartError('invalid-config', messageOf(problems), { problems });
  return deepFreeze({
    config: config as Config,
    sources: Object.fromEntries(sources) as Record<SettingKey, SettingSource>,
  });
}

/** Puts one source above what the weaker ones said. */
function readLayer(layer: Layer, { values, sources, fields, problems }: Gathered): void {
  const keys = new Map(SETTING_KEYS.map((key) => [layer.nameOf(key), key]));
  for (const [name, raw] of layer.entries) {
    const key = keys.get(name);
    if (key === undefined) {
      problems.push({ ...unknownName(name, [...keys.keys()]), field: layer.fieldOf(name) });
      continue;
    }
    if (raw === '' && layer.source === 'environment') continue;
    sources.set(key, layer.source);
    fields.set(key, layer.fieldOf(name));
    const parsed = SETTINGS[key].parser.parse(raw);
    if ('value' in parsed) {
      values.set(key, parsed.value);
      continue;
    }
    // Without a value the setting takes no part in the checks between settings, which would only mislead.
    values.delete(key);
    for (const { field, ...problem } of parsed.problems) {
      problems.push({ field: layer.fieldOf(name + field), ...problem });
    }
  }
}

function fileLayer(file: { path: string; text: string }, problems: FieldProblem[]): Layer | undefined {
  const entries = entriesOf(file.text);
  if (typeof entries !== 'string') {
    return { source: 'file', entries, nameOf: settingName, fieldOf: (name) => `${name} in ${file.path}` };
  }
  problems.push({ field: file.path, expected: 'a JSON object with settings as keys', received: entries });
  return undefined;
}

/** The members of a JSON object, or what the text is instead, without quoting it: it may hold secrets. */
function entriesOf(text: string): [string, unknown][] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Of V8's message only the position; the rest may quote the text.
    const position = /at position (\d+)/.exec(String(error))?.[1];
    if (position === undefined) return 'text that is not valid JSON';
    return `text that is not valid JSON, see line ${text.slice(0, Number(position)).split('\n').length}`;
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? Object.entries(value) : `a ${typeof value}`;
}

function envLayer(env: ConfigInput['env']): Layer {
  const entries = Object.entries(env).filter(
    ([name, raw]) =>
      raw !== undefined &&
      name.startsWith(ENV_PREFIX) &&
      // The path of the file, and what tests tell each other.
      name !== `${ENV_PREFIX}CONFIG` &&
      !name.startsWith(`${ENV_PREFIX}TEST_`),
  );
  return { source: 'environment', entries, nameOf: envName, fieldOf: (name) => name };
}

function flagLayer(flags: Readonly<Record<string, unknown>>): Layer {
  const entries = Object.entries(flags)
    .filter(([key, raw]) => raw !== undefined && key !== 'config')
    .map(([key, raw]) => [flagName(key), raw] as const);
  return { source: 'flag', entries, nameOf: flagName, fieldOf: (name) => name };
}

function optionLayer(options: Readonly<Record<string, unknown>>): Layer {
  const entries = Object.entries(options).filter(([, raw]) => raw !== undefined);
  return { source: 'option', entries, nameOf: (key) => key, fieldOf: (name) => name };
}

/** The value isn't shown: it may be a secret under a misspelt name. */
function unknownName(name: string, known: readonly string[]): Omit<FieldProblem, 'field'> {
  const meant = closestName(name, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return { expected: 'the name of a setting', received: `a name that no setting has${hint}` };
}

function messageOf(problems: readonly FieldProblem[]): string {
  const head = `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`;
  const lines = problems.map((p) => `  ${p.field}: expected ${p.expected}; received ${p.received}`);
  return [head, ...lines].join('\n');
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}
