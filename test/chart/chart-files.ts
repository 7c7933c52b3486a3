import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTING_KEYS, SETTINGS, type Setting, type SettingKey } from '../../src/config';
import { settingName } from '../../src/config/names';

const ROOT = path.resolve(__dirname, '../..');
export const CHART = path.join(ROOT, 'deploy/chart/keepapart');

/** Settings that the chart chooses, because its templates need to know them. */
const CHOSEN: readonly SettingKey[] = [
  'httpHost',
  'httpPort',
  'tcpPort',
  'temporalPort',
  'uiPort',
  'metricsHost',
  'metricsPort',
  'dataDir',
  'outDir',
  'tlsCertFile',
  'tlsKeyFile',
];

/** A setting of which not everything may be shown is a secret, and reaches a pod only by reference. */
function isSecret(key: SettingKey): boolean {
  return (SETTINGS[key] as Setting<unknown>).show !== undefined;
}

const OPEN_KEYS = SETTING_KEYS.filter((key) => !CHOSEN.includes(key));

/**
 * Content, by path in the chart, of the files that are made from others: `npm run check:chart -- --update` writes them, and
 * a test compares them.
 */
export function chartFiles(): Record<string, string> {
  return {
    'files/rules.yml': read('deploy/prometheus/rules.yml'),
    'files/dashboard.json': read('deploy/grafana/keepapart.json'),
    'values.schema.json': `${JSON.stringify(valuesSchema(), null, 2)}\n`,
  };
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

type Schema = Readonly<Record<string, unknown>>;

function object(properties: Record<string, Schema>, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, required, properties };
}

const text = { type: 'string' };
const flag = { type: 'boolean' };
const map = { type: 'object', additionalProperties: text };
const list = (items: Schema) => ({ type: 'array', items });
const anyObject = { type: 'object' };
const port = { type: 'integer', minimum: 1, maximum: 65_535 };
const count = (minimum: number) => ({ type: 'integer', minimum });
const SECRET_KEY = object({ name: { ...text, minLength: 1 }, key: { ...text, minLength: 1 } }, [
  'name',
  'key',
]);
const SECRET_KEY_OR_NOTHING = { anyOf: [{ type: 'object', maxProperties: 0 }, SECRET_KEY] };

/** What all values may be; those of settings are from the one table, and nothing unknown is accepted anywhere. */
function valuesSchema(): Schema {
  const placed = { resources: anyObject, nodeSelector: map, tolerations: list(anyObject) };
  const monitor = { enabled: flag, labels: map };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the keepapart chart',
    ...object({
      // Helm's own, for every chart.
      global: anyObject,
      image: object({
        repository: text,
        tag: text,
        digest: { ...text, pattern: '^(sha256:[0-9a-f]{64})?$' },
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: list(object({ name: text })),
      temporal: object({
        address: { ...text, pattern: '^([^:/]+:[0-9]+)?$' },
        namespace: { ...text, minLength: 1 },
        tlsSecret: text,
        tlsCa: flag,
        apiKey: SECRET_KEY_OR_NOTHING,
      }),
      settings: object(
        Object.fromEntries(
          OPEN_KEYS.filter((key) => !isSecret(key)).map((key) => [settingName(key), settingSchema(key)]),
        ),
      ),
      secretSettings: object(
        Object.fromEntries(OPEN_KEYS.filter(isSecret).map((key) => [settingName(key), SECRET_KEY])),
      ),
      extraEnv: list({ type: 'object', required: ['name'] }),
      serviceAccount: object({ annotations: map }),
      api: object({
        replicas: count(1),
        tlsSecret: text,
        service: object({
          type: { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
          port,
          annotations: map,
        }),
        ...placed,
      }),
      worker: object({
        replicas: count(1),
        autoscaling: object({
          kind: { enum: ['none', 'keda', 'hpa'] },
          minReplicas: count(1),
          maxReplicas: count(1),
          recordsPerWorker: count(1),
          prometheus: text,
        }),
        ...placed,
      }),
      persistence: object({
        enabled: flag,
        existingClaim: text,
        accessModes: list({ enum: ['ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'] }),
        storageClass: text,
        size: text,
      }),
      podDisruptionBudget: object({ enabled: flag }),
      networkPolicy: object({
        enabled: flag,
        clients: list(anyObject),
        monitoring: list(anyObject),
        temporal: list(anyObject),
        egress: object({ api: list(anyObject), worker: list(anyObject) }),
      }),
      metrics: object({
        serviceMonitor: object({ ...monitor, interval: text }),
        rules: object({ ...monitor, runbook: text }),
        dashboards: object(monitor),
      }),
      test: object({ apiKey: SECRET_KEY_OR_NOTHING }),
    }),
  };
}

function settingSchema(key: SettingKey): Schema {
  const { about, default: preset, parser } = SETTINGS[key] as Setting<unknown>;
  const { pattern, ...schema } = parser.schema ?? {};
  // Helm's regular expressions are Go's, which can't look ahead; what isn't checked here is when a pod starts.
  const isPortable = typeof pattern === 'string' && !/\(\?[=!<]/.test(pattern);
  return { description: about, default: preset, ...schema, ...(isPortable && { pattern }) };
}
