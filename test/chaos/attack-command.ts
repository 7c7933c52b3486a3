import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SECOND } from '../../src/domain/duration';
import { KEPT, attack, auditFolder } from './attack';
import { optionsOf, runInFolder } from './command';
import { PROFILE_HELP, PROFILE_OPTIONS, profileOf } from './profile';
import { isDamaged } from './damage';
import type { Digests } from './published-files';
import { renderAttack, renderFindings } from './report';
import { KINDS_OF_KILLS, type ScheduledFault } from './schedule';
import { STORES } from './store-servers';

const HELP = `npm run chaos -- [options]

  --seed <n>          what is done, when and to whom follows from it (default: by chance, and printed)
  --duration <s>      how long all rounds last under load (default 600)
  --round <s>         length of a round, after which all gets quiet and is audited (default 60)
  --kills <n>         how many kills in all (default 50)
  --others <n>        how many other faults come on top (default as many as kills; each kind once at least)
  --rate <n>          records a second (default 20)
  --failure-rate <n>  share of save attempts that fail by chance (default 0.3)
  --slow <s>          how long a slow record takes (default 30)
  --short             each kind of fault once, in one round of 60 s; 8 records a second, slow ones take 4 s
  --faults <json>     these faults in each round, instead of the seed's: [{"atMs":1,"fault":{"kind":"kill temporal role"}}]
  --store <where>     ${STORES.join(', ')} (default file); a server that belongs to it is attacked as well
${PROFILE_HELP}
  --keep              keeps the folder of a run that fails
  --folder <path>     uses this folder, and leaves everything in it
  --report <path>     writes the report as JSON too
  --audit <folder>    audits what a run has left in a folder, and does nothing else`;

const LONG = { duration: '600', round: '60', kills: '50', slow: '30', rate: '20', lengths: 1 };
const SHORT = {
  duration: '60',
  round: '60',
  kills: String(KINDS_OF_KILLS),
  others: '0',
  slow: '4',
  rate: '8',
  lengths: 0.3,
};

/** @returns the exit code: 0 when nothing is damaged, 1 otherwise, 2 for a wrong call */
export async function attackCommand(args: string[]): Promise<number> {
  const values = optionsOf(HELP, () => parse(args));
  if (typeof values === 'number') return values;
  if (values.audit !== undefined) return audit(values.audit);
  const given = { ...(values.short ? SHORT : LONG), ...values };
  const store = STORES.find((name) => name === given.store);
  if (store === undefined) {
    console.error(`--store: expected one of ${STORES.join(', ')}, received ${given.store}`);
    return 2;
  }
  const seed = given.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given.seed);
  console.log(`seed ${seed}`);
  return runInFolder({
    folder: given.folder,
    keep: given.keep,
    reportFile: given.report,
    run: (folder, atEnd) =>
      attack({
        seed,
        folder,
        durationMs: Number(given.duration) * SECOND,
        roundMs: Number(given.round) * SECOND,
        kills: Number(given.kills),
        others: Number(given.others ?? given.kills),
        lengths: given.lengths,
        store,
        // In scope `running` there is one shard alone.
        withShards: given['conflict-scope'] === 'file',
        ratePerSecond: Number(given.rate),
        failureRate: Number(given['failure-rate']),
        slowMs: Number(given.slow) * SECOND,
        faults: given.faults === undefined ? undefined : (JSON.parse(given.faults) as ScheduledFault[]),
        profile: profileOf(given),
        atEnd,
        say: (line) => console.log(line),
      }),
    render: renderAttack,
  });
}

function parse(args: string[]) {
  return parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      duration: { type: 'string' },
      round: { type: 'string' },
      kills: { type: 'string' },
      others: { type: 'string' },
      slow: { type: 'string' },
      rate: { type: 'string' },
      'failure-rate': { type: 'string', default: '0.3' },
      short: { type: 'boolean', default: false },
      faults: { type: 'string' },
      store: { type: 'string', default: 'file' },
      ...PROFILE_OPTIONS,
      keep: { type: 'boolean', default: false },
      folder: { type: 'string' },
      report: { type: 'string' },
      audit: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
}

async function audit(folder: string): Promise<number> {
  const digests = JSON.parse(readFileSync(path.join(folder, KEPT.digests), 'utf8')) as Digests;
  const findings = await auditFolder(folder, digests);
  console.log(renderFindings(findings));
  return isDamaged(findings.damage) ? 1 : 0;
}
