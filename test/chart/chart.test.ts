import Ajv from 'ajv';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config';
import { CASES, chartDigest, goldenFile, valuesFile } from './chart-cases';
import { CHART, chartFiles } from './chart-files';

interface EnvEntry {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}
interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}

const read = (file: string) => readFileSync(file, 'utf8');
const golden = (name: string) =>
  parseAllDocuments(read(goldenFile(name))).map((one) => one.toJS() as Manifest);

function ofKind(name: string, kind: string): Manifest[] {
  return golden(name).filter((one) => one.kind === kind);
}

/** The environment of each container that runs keepapart, by the name of its Deployment; secrets as valid examples. */
function environments(name: string): Record<string, Record<string, string>> {
  const secrets: Record<string, string> = {
    KEEPAPART_API_KEYS: `ops:${'0'.repeat(64)}`,
    KEEPAPART_POSTGRES_URL: 'postgres://user:password@db/orders',
  };
  return Object.fromEntries(
    ofKind(name, 'Deployment').map(({ metadata, spec }) => {
      const { template } = spec as { template: { spec: { containers: { env: EnvEntry[] }[] } } };
      const env = template.spec.containers.flatMap((container) => container.env);
      return [
        metadata.name,
        Object.fromEntries(env.map((one) => [one.name, one.value ?? secrets[one.name] ?? ''])),
      ];
    }),
  );
}

test('The schema, the rules and the dashboard in the chart are those of the settings table and of deploy.', () => {
  for (const [file, content] of Object.entries(chartFiles()))
    expect({ file, content: read(path.join(CHART, file)) }).toEqual({ file, content });
});

test('The golden files were rendered from the chart as it is; npm run check:chart -- --update renders them.', () => {
  expect(read(goldenFile('digest')).trim()).toBe(chartDigest());
});

test('The values of the chart, and of each case, match its schema, and an unknown setting does not.', () => {
  const isValid = new Ajv({ strict: false }).compile(
    JSON.parse(read(path.join(CHART, 'values.schema.json'))) as object,
  );
  for (const file of [path.join(CHART, 'values.yaml'), ...CASES.map(valuesFile)]) {
    isValid(parse(read(file)));
    expect({ file, errors: isValid.errors }).toEqual({ file, errors: null });
  }
  expect(isValid({ settings: { MAX_BATCHSIZE: 5 } })).toBe(false);
  expect(isValid({ settings: { API_KEYS: 'ops:…' } })).toBe(false);
});

describe.each(CASES)('The chart in the case %s', (name) => {
  test('gives both roles an environment that keepapart accepts.', () => {
    const all = environments(name);
    expect(Object.keys(all).sort()).toEqual(['orders-keepapart-api', 'orders-keepapart-worker']);
    for (const env of Object.values(all)) {
      const { config } = loadConfig({ env });
      expect(config.metricsPort).toBe(9464);
      expect(env['TEMPORAL_ADDRESS']).toMatch(/:\d+$/);
    }
  });

  test('writes settings and secrets into no manifest in clear.', () => {
    const secrets = golden(name).filter(({ kind }) => kind === 'Secret');
    expect(secrets).toEqual([]);
    for (const { spec } of ofKind(name, 'Deployment')) {
      const { template } = spec as { template: { spec: { containers: { env: EnvEntry[] }[] } } };
      for (const { name: variable, value } of template.spec.containers.flatMap(({ env }) => env))
        if (/API_KEYS?$|SECRET|_URL$/.test(variable)) expect({ variable, value }).toEqual({ variable });
    }
  });

  test('runs as an ordinary user, without capabilities, on a root file system that can only be read.', () => {
    const pods = golden(name).flatMap(({ kind, spec }) =>
      kind === 'Deployment'
        ? [(spec['template'] as { spec: Record<string, unknown> }).spec]
        : kind === 'Pod'
          ? [spec]
          : [],
    );
    expect(pods.length).toBeGreaterThanOrEqual(2);
    for (const pod of pods) {
      expect(pod).toMatchObject({
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000 },
      });
      for (const container of pod['containers'] as object[])
        expect(container).toMatchObject({
          resources: { limits: { memory: expect.any(String) as string } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        });
    }
  });

  test('never scales by the backlog of task queues, and never to zero.', () => {
    for (const { spec } of ofKind(name, 'ScaledObject')) {
      expect(spec['minReplicaCount']).toBeGreaterThanOrEqual(1);
      expect((spec['triggers'] as { type: string }[]).map(({ type }) => type)).toEqual(['prometheus']);
      expect(JSON.stringify(spec)).not.toContain('temporal');
    }
    for (const { spec } of ofKind(name, 'HorizontalPodAutoscaler'))
      expect(spec['minReplicas']).toBeGreaterThanOrEqual(1);
  });
});

test('Numbers and lists of the values reach keepapart as it was told: no 8.64e+07, and rules as JSON.', () => {
  const { config } = loadConfig({ env: environments('full')['orders-keepapart-worker'] ?? {} });
  expect(config).toMatchObject({
    idempotencyWindowMs: 86_400_000,
    maxRequestBytes: 512 * 1024,
    conflicts: [{ pair: [1, 2] }, { distinct: '/customerId' }],
    maxSavesPerSecond: [{ perSecond: 100 }, { at: '/tenant', perSecond: 10 }],
  });
});

test('A PrometheusRule has every group of deploy/prometheus/rules.yml, with links to where the runbook is.', () => {
  const [rule] = ofKind('full', 'PrometheusRule');
  const rules = read(path.resolve(CHART, '../../prometheus/rules.yml'));
  const linked = rules.replaceAll('docs/RUNBOOK.md', 'https://wiki.example/keepapart/RUNBOOK.md');
  expect(rule?.spec).toEqual(parse(linked));
});

test('A new worker claims folders that stay when the release is removed.', () => {
  expect(ofKind('small', 'PersistentVolumeClaim')).toEqual([
    expect.objectContaining({
      metadata: expect.objectContaining({ annotations: { 'helm.sh/resource-policy': 'keep' } }) as object,
    }),
  ]);
  expect(ofKind('full', 'PersistentVolumeClaim')).toEqual([]);
});

test('docs/KUBERNETES.md names every value at the top of values.yaml.', () => {
  const file = path.resolve(CHART, '../../../docs/KUBERNETES.md');
  expect(existsSync(file)).toBe(true);
  for (const key of Object.keys(parse(read(path.join(CHART, 'values.yaml'))) as object))
    expect(read(file)).toContain(`\`${key}`);
});
