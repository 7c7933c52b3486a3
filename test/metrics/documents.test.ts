import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { METRICS } from '../../src/metrics/catalogue';
import { describeMetrics } from '../../src/metrics/registry';
import { findPrometheus } from '../helpers/prometheus-binaries';

const ROOT = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  annotations?: { runbook_url?: string };
}
const RULES = (parse(read('deploy/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const ALERTS = RULES.flatMap(({ alert, annotations }) =>
  alert === undefined ? [] : [{ alert, annotations }],
);
const DASHBOARD = JSON.parse(read('deploy/grafana/keepapart.json')) as {
  panels: {
    title: string;
    datasource: { uid: string };
    targets: { expr: string; datasource: { uid: string } }[];
  }[];
  templating: { list: { name: string }[] };
};
const QUERIES = DASHBOARD.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

/** Names of metrics in an expression that aren't in the catalogue; Temporal's, the process's and recorded ones are known. */
function strangersIn(expr: string): string[] {
  const recorded = new Set(RULES.map(({ record }) => record));
  const names = expr.match(/\b(?:keepapart[a-z0-9_:]*|http_server[a-z_]*)/g) ?? [];
  const known = new Set<string>(
    Object.entries(METRICS).flatMap(([name, { type }]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  );
  return names.filter((name) => !known.has(name) && !recorded.has(name) && name !== 'keepapart');
}

test('The alerts fire when they should and not otherwise: promtool runs their unit tests.', () => {
  const { promtool } = findPrometheus();
  const cwd = path.join(ROOT, 'deploy/prometheus');
  execFileSync(promtool, ['check', 'config', 'prometheus.yml'], { cwd, stdio: 'pipe' });
  const output = execFileSync(promtool, ['test', 'rules', 'rules_test.yml'], { cwd, encoding: 'utf8' });
  expect(output).toContain('SUCCESS');
});

test('Each alert has a unit test in which it fires.', () => {
  const { tests } = parse(read('deploy/prometheus/rules_test.yml')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  const firing = tests
    .flatMap(({ alert_rule_test: cases }) => cases)
    .filter(({ exp_alerts: alerts }) => alerts.length > 0);
  expect(new Set(firing.map(({ alertname }) => alertname))).toEqual(
    new Set(ALERTS.map(({ alert }) => alert)),
  );
});

test('Each alert names its section of the runbook, and the runbook has no others.', () => {
  const [, alerts = ''] = read('docs/RUNBOOK.md').split('\n## Alerts\n');
  const sections = [...alerts.matchAll(/^### (\w+)$/gm)].map(([, title]) => title);
  expect(new Set(sections)).toEqual(new Set(ALERTS.map(({ alert }) => alert)));
  for (const { alert, annotations } of ALERTS)
    expect(annotations?.runbook_url).toBe(`docs/RUNBOOK.md#${alert.toLowerCase()}`);
});

test('Alerts, runbook and dashboard know no metric of ours that there is not.', () => {
  const exprs = [...RULES.map(({ expr }) => expr), ...QUERIES.map(({ expr }) => expr)];
  expect(exprs.flatMap(strangersIn)).toEqual([]);
  const told = [...read('docs/RUNBOOK.md').matchAll(/`(keepapart_\w+)/g)].map(([, name = '']) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
  expect(told.filter((name) => !(name in METRICS))).toEqual([]);
  expect(told.length).toBeGreaterThan(2);
});

test('The dashboard can be imported anywhere: its data source is a variable, and so is the shard.', () => {
  expect(DASHBOARD.templating.list.map(({ name }) => name)).toEqual(['datasource', 'shard']);
  const sources = DASHBOARD.panels.flatMap(({ datasource, targets }) => [
    datasource.uid,
    ...targets.map((target) => target.datasource.uid),
  ]);
  expect(new Set(sources)).toEqual(new Set(['${datasource}']));
  for (const { expr } of QUERIES) expect(expr).not.toMatch(/\[\d+[smh]\]/);
});

test('docs/OBSERVABILITY.md has the table of metrics as the code has it.', () => {
  // Prettier pads the cells of tables; what counts is what they hold.
  const docs = read('docs/OBSERVABILITY.md').replace(/ +/g, ' ');
  const rows = describeMetrics().map(
    ({ name, type, labels, from, help }) =>
      `| \`${name}\` | ${type} | ${labels === '' ? '' : `\`${labels.replaceAll(', ', '`, `')}\` `}| ${from} | ${help} |`,
  );
  const [, table = ''] = /<!-- metrics -->\n(.*?)<!-- \/metrics -->/s.exec(docs) ?? [];
  expect(table.trim().split('\n').slice(2)).toEqual(rows.map((row) => row.replace(/ +/g, ' ')));
});
