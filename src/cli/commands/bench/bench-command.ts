import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { InvalidArgumentError, type Command } from 'commander';
import { SETTING_KEYS, type Config, type LoadedConfig, type SettingKey } from '../../../config';
import { batcherWorkflowId } from '../../../contracts/workflow/ids';
import { LOOPBACK } from '../../../temporal/embedded/ports';
import { measureLoad } from './load';
import { PROFILES, type Profile } from './profiles';
import { renderBench, type BenchReport } from './render';
import { startServe } from './serve-child';
import { restrictFiles } from '../../process/file-access';
import { createLifecycle, type StoppableLifecycle } from '../../process/lifecycle';
import { createLogger } from '../../process/logger';
import { addUnlistedSettingFlags, readConfig } from '../../process/read-config';
import { runUntilStopped } from '../../process/run';
import { oneOfChoices } from '../../terminal/command-help';
import { counted } from '../../../domain/format';
import { print } from '../../terminal/text';
import { connect, externalTemporal, namesTemporal, startTemporal } from '../../process/temporal-role';

const DEFAULT_RECORDS = 1000;
const MAX_RECORDS = 1_000_000;

type Flags = Readonly<Record<string, unknown>> & { records: number; profiles: Profile[]; json?: true };

/** `keepapart bench`: how fast this machine is, with its disk and its settings. Touches no records of a running system. */
export function registerBench(program: Command): void {
  const command = program
    .command('bench')
    .description('measure this machine: records per second and their latency, in several profiles')
    .option('--records <n>', 'records per profile', wholeNumber, DEFAULT_RECORDS)
    .option(
      '--profiles <list>',
      `some of ${PROFILES.map(({ name }) => name).join(',')} (default: all)`,
      chosenProfiles,
      [...PROFILES],
    )
    .option('--json', 'print the results as JSON');
  addUnlistedSettingFlags(command).action(async (flags: Flags) => {
    const loaded = readConfig(flags);
    const logger = createLogger({ logLevel: 'warn' });
    const reports: BenchReport[] = [];
    const code = await runUntilStopped(logger, async (lifecycle) => {
      const report = await bench(loaded, flags, lifecycle);
      reports.push(report);
      print(flags, report, renderBench);
      lifecycle.requestStop();
    });
    const damaged = reports.some(({ results }) => results.some(({ clean }) => !clean));
    process.exit(damaged ? 1 : code);
  });
}

/** Each profile on a system of its own, in a folder of its own on the disk of DATA_DIR; Temporal is the same for all. */
async function bench(
  { config }: LoadedConfig,
  flags: Flags,
  lifecycle: StoppableLifecycle,
): Promise<BenchReport> {
  const { records, profiles } = flags;
  const given = Object.fromEntries(
    SETTING_KEYS.flatMap((key) => (typeof flags[key] === 'string' ? [[key, flags[key]]] : [])),
  ) as Partial<Record<SettingKey, string>>;
  restrictFiles(config);
  await mkdir(config.dataDir, { recursive: true });
  const folder = await mkdtemp(path.join(path.resolve(config.dataDir), 'bench-'));
  lifecycle.onStop('the folder', () => rm(folder, { recursive: true, force: true }));
  const own = { ...config, dataDir: path.join(folder, 'temporal'), temporalPort: 0, uiPort: 0 };
  const temporal = namesTemporal() ? externalTemporal() : await startTemporal(own, lifecycle);
  const client = await connect(temporal, lifecycle);
  const results: BenchReport['results'] = [];
  for (const profile of profiles) {
    process.stderr.write(`keepapart: ${profile.name}, ${counted(records, 'record')}\n`);
    const outDir = path.join(folder, profile.name, 'out');
    const apiKey = randomBytes(16).toString('hex');
    const batcherId = `bench-${randomBytes(4).toString('hex')}`;
    const settings = {
      ...profileSettings(profile, apiKey),
      batcherId,
      taskQueue: batcherId,
      dataDir: path.join(folder, profile.name),
      outDir,
    };
    const serving = createLifecycle(createLogger({ logLevel: 'warn' }));
    lifecycle.onStop(`the system of ${profile.name}`, () => serving.stopAll());
    try {
      const { apiUrl } = await startServe(
        {
          settings: { ...given, ...settings },
          configFile: flags['config'],
          temporalAddress: temporal.target.options.address,
        },
        serving,
      );
      const load = { records, apiUrl, apiKey, config: { ...config, outDir }, signal: lifecycle.signal };
      results.push({ profile, ...(await measureLoad(load)) });
    } finally {
      await serving.stopAll();
      await endBatchers(client, batcherId, config);
    }
  }
  return { records, results };
}

/** What differs from the settings of whoever measures: the profile, and nothing that a second system would collide with. */
function profileSettings({ saveActivity }: Profile, key: string): Partial<Record<SettingKey, string>> {
  return {
    saveActivity,
    outcomeFormat: 'json',
    httpHost: LOOPBACK,
    httpPort: '0',
    tcpPort: '0',
    apiKeys: `bench:${createHash('sha256').update(key).digest('hex')}`,
    tlsCertFile: '',
    tlsKeyFile: '',
    rateLimitPerSecond: '0',
    buildId: '',
    logLevel: 'error',
  };
}

/** On a server that stays, no batcher of ours may go on for ever. */
async function endBatchers(
  client: Client,
  batcherId: string,
  { shards }: Pick<Config, 'shards'>,
): Promise<void> {
  for (let shard = 0; shard < shards; shard++) {
    try {
      await client.workflow.getHandle(batcherWorkflowId(batcherId, shard)).terminate('the bench is over');
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MAX_RECORDS)
    throw new InvalidArgumentError(`It has to be a whole number from 1 to ${MAX_RECORDS}.`);
  return value;
}

function chosenProfiles(text: string): Profile[] {
  return text.split(',').flatMap((name) => {
    oneOfChoices(
      name,
      PROFILES.map((one) => one.name),
    );
    return PROFILES.filter((one) => one.name === name);
  });
}
