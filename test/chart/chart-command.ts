import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { MIB } from '../../src/domain/duration';
import { goBinary } from '../helpers/go-binary';
import { chartDigest, CASES, goldenFile, valuesFile } from './chart-cases';
import { CHART, chartFiles } from './chart-files';

/** From PyPI; it has the schemas of Kubernetes inside. */
const KUBERNETES_VALIDATE = 'kubernetes-validate==1.37.0';
const KUBERNETES = ['1.30', '1.37'];

/** Values that must be refused, and a part of the message. */
const REFUSED = [
  ['temporal.address=', 'temporal.address is required'],
  ['settings.MAX_BATCHSIZE=5', 'MAX_BATCHSIZE'],
  ['settings.MAX_BATCH_SIZE=0', '/settings/MAX_BATCH_SIZE'],
  ['settings.HTTP_PORT=80', 'HTTP_PORT'],
  ['settings.API_KEYS=secret', 'API_KEYS'],
  ['worker.autoscaling.kind=temporal', '/worker/autoscaling/kind'],
  ['worker.autoscaling.minReplicas=0', '/worker/autoscaling/minReplicas'],
  ['worker.autoscaling.kind=keda', 'worker.autoscaling.prometheus is required'],
  ['worker.autoscaling.kind=hpa,worker.autoscaling.minReplicas=9', 'minReplicas is more than maxReplicas'],
  ['persistence.enabled=false', 'needs a STORE other than file'],
  ['settings.STORE=s3', 'networkPolicy.egress.worker is required'],
] as const;

/**
 * Lints and renders the chart with helm for each case, compares the result with the golden files, and validates it against
 * the schemas of the oldest and the newest supported Kubernetes.
 * @param args `--update` writes the files that are made from others, and the golden files, before
 * @returns the exit code: 1 if anything is wrong
 */
export async function chartCommand(args: readonly string[]): Promise<number> {
  const updates = args.includes('--update');
  const wrong: string[] = [];
  const check = (file: string, wanted: string) => {
    if (updates) writeFileSync(file, wanted);
    else if (!existsSync(file) || readFileSync(file, 'utf8') !== wanted)
      wrong.push(`${path.relative(process.cwd(), file)} is not up to date: npm run check:chart -- --update`);
  };
  for (const [file, content] of Object.entries(chartFiles())) check(path.join(CHART, file), content);

  const helm = await goBinary({ package: 'helm.sh/helm/v4/cmd/helm', version: '4.3.1', what: 'helm' });
  const folder = mkdtempSync(path.join(tmpdir(), 'keepapart-chart-'));
  try {
    for (const name of CASES) {
      run(helm, ['lint', '--strict', CHART, '--values', valuesFile(name)]);
      const rendered = run(helm, ['template', 'orders', CHART, ...IN_CASE(name)]);
      check(goldenFile(name), rendered);
      writeFileSync(path.join(folder, `${name}.yaml`), withoutOwnKinds(rendered));
    }
    check(goldenFile('digest'), `${chartDigest()}\n`);
    const refused = (args: readonly string[], message: string) => {
      const { status, stderr } = spawnSync(helm, ['template', 'orders', CHART, ...args], {
        encoding: 'utf8',
      });
      if (status === 0 || !stderr.includes(message))
        wrong.push(`${args.join(' ')} is not refused: ${stderr}`);
    };
    refused(['--set', 'temporal.address=temporal:7233'], 'secretSettings.API_KEYS is required');
    for (const [set, message] of REFUSED) refused([...IN_CASE('small'), '--set', set], message);
    validate(
      folder,
      CASES.map((name) => path.join(folder, `${name}.yaml`)),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const line of wrong) console.error(line);
  console.log(
    `${CASES.length} cases, ${REFUSED.length + 1} refusals; ${wrong.length === 0 ? 'nothing' : wrong.length} wrong`,
  );
  return wrong.length === 0 ? 0 : 1;
}

const IN_CASE = (name: string) => [
  '--namespace',
  'shop',
  '--kube-version',
  '1.37.0',
  '--values',
  valuesFile(name),
];

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * MIB });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Without kinds that Kubernetes doesn't know by itself, for which there are no schemas here. */
function withoutOwnKinds(rendered: string): string {
  return parseAllDocuments(rendered)
    .filter((document) => !/^(monitoring\.coreos\.com|keda\.sh)\//.test(String(document.get('apiVersion'))))
    .map(String)
    .join('---\n');
}

function validate(folder: string, files: readonly string[]): void {
  const venv = path.join(folder, 'venv');
  run('python3', ['-m', 'venv', venv]);
  const bin = path.join(venv, 'bin');
  run(path.join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', KUBERNETES_VALIDATE]);
  for (const version of KUBERNETES)
    run(path.join(bin, 'kubernetes-validate'), ['--strict', '--kubernetes-version', version, ...files]);
}
