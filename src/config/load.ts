import { didYouMean } from '../domain/closest-name';
import { KeepapartError } from '../domain/errors';
import type { FieldProblem } from '../domain/field-problems';
import { ENV_PREFIX, envName, flagName, settingName } from './names';
import { relationProblems } from './relations';
import { SETTING_KEYS, SETTINGS, type Config, type Setting, type SettingKey } from './settings';

/** Source of a value, lowest precedence first. */
export type SettingSource = 'default' | 'file' | 'environment' | 'flag' | 'option';

export interface ConfigInput {
  /** The whole environment; only names that start with `KEEPAPART_` are used. */
  env: Readonly<Record<string, string | undefined>>;
  /** Content of `keepapart.config.json`, if it exists; `path` is only used in messages. */
  file?: { path: string; text: string } | undefined;
  /** By key, as command-line parsers provide them: `httpPort` for `--http-port`. `undefined` counts as not given. */
  flags?: Readonly<Record<string, unknown>> | undefined;
  /** By key, as a program has them that embeds keepapart. `undefined` counts as not given. */
  options?: Readonly<Record<string, unknown>> | undefined;
}

export interface LoadedConfig {
  config: Config;
  sources: Readonly<Record<SettingKey, SettingSource>>;
}

/** The settings from one source. */
interface Layer {
  source: SettingSource;
  entries: readonly (readonly [name: string, raw: unknown])[];
  /** The name of a setting in this source. */
  nameOf(key: SettingKey): string;
  /** The name of an entry, or of a part of it, in problems. */
  fieldOf(name: string): string;
}

/** The values from the sources read so far; a setting with a problem has none. */
interface Gathered {
  values: Map<SettingKey, unknown>;
  sources: Map<SettingKey, SettingSource>;
  /** The name that the user wrote, for each setting that was given. */
  fields: Map<SettingKey, string>;
  problems: FieldProblem[];
}

/**
 * The configuration in force: flags take precedence over the environment, the environment over the file, and the file over
 * defaults. Pure: it reads nothing itself.
 *
 * Every source is validated completely, even if another one overrides it, and unknown names are refused. An environment
 * variable with an empty value counts as not set, because `${NAME:-}` in a compose file produces that.
 * @throws KeepapartError `invalid-config` with all problems at once, without secrets; not retried
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

  // Each value came from the parser of its own key, which is what the type says.
  const config = Object.fromEntries(values) as Partial<Config>;
  // An unreadable file may contain exactly what would be reported as missing here.
  if (file === undefined || fromFile !== undefined) {
    problems.push(...relationProblems({ values: config, writtenAs: (key) => fields.get(key) }));
  }
  if (problems.length > 0) throw new KeepapartError('invalid-config', messageOf(problems), { problems });
  return deepFreeze({
    config: config as Config,
    sources: Object.fromEntries(sources) as Record<SettingKey, SettingSource>,
  });
}

/** Reads one source, which overrides the previous ones. */
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
    // A setting without a value takes no part in the checks between settings, which would only mislead.
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

/** The members of a JSON object, or a description of what the text is instead. It may contain secrets, so it isn't quoted. */
function entriesOf(text: string): [string, unknown][] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Only the position in V8's message is used; the rest may quote the text.
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
      // The path of the file, and variables of our tests.
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

/** The value isn't shown, because it may be a secret under a misspelt name. */
function unknownName(name: string, known: readonly string[]): Omit<FieldProblem, 'field'> {
  const hint = didYouMean(name, known, ENV_PREFIX);
  return { expected: 'the name of a setting', received: `an unknown name${hint}` };
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
