import { loadConfig, type Config, type SettingKey } from '../config';
import { KeepapartError } from '../domain/errors';
import { problemLines } from '../domain/field-problems';

/** Settings that the embedding app decides: where it listens, how it logs. */
const OF_THE_APP = [
  'httpHost',
  'httpPort',
  'tlsCertFile',
  'tlsKeyFile',
  'tcpPort',
  'temporalPort',
  'uiPort',
  'metricsHost',
  'metricsPort',
  'logLevel',
] as const satisfies readonly SettingKey[];

/**
 * The settings of docs/CONFIGURATION.md, their names in camel case: `maxBatchSize` for `MAX_BATCH_SIZE`. Defaults, units
 * and bounds are the same. Those of ports, hosts, TLS and logs are missing, as the app decides them. The environment and
 * `keepapart.config.json` are not read.
 *
 * One object serves the router and the worker: each takes from it what concerns it.
 * @example
 * const settings: KeepapartSettings = { taskQueue: 'prices', batcherId: 'prices', conflicts: [{ distinct: '/sku' }] };
 */
export type KeepapartSettings = {
  readonly [Key in Exclude<SettingKey, (typeof OF_THE_APP)[number]>]?:
    // In the formats of the files: `name:hash:right+right`, and `id:base64`.
    (Key extends 'apiKeys' | 'encryptionKeys' ? readonly string[] : Config[Key]) | undefined;
};

/** The whole configuration. @throws `invalid-config` with everything that is wrong */
export function configOf(settings: KeepapartSettings): Config {
  const problems = OF_THE_APP.filter((key) => key in settings).map((field) => ({
    field,
    expected: 'nothing: the app that keepapart is embedded in decides this',
    received: 'a value',
  }));
  if (problems.length > 0)
    throw new KeepapartError(
      'invalid-config',
      `Some settings are not for embedding${problemLines(problems)}`,
      {
        problems,
      },
    );
  return loadConfig({ env: {}, options: settings }).config;
}
