import { homedir } from 'node:os';
import { parseArgs } from 'node:util';
import { defaultCacheDir, resolveTemporalBinary } from '../../src/temporal/embedded/binary';
import { attack, isUnharmed } from './attack';
import { renderAttack } from './summary';

/** `npm run chaos`: the long form of the attack. Resolves with the exit code. */
export async function runChaos(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
      duration: { type: 'string', default: '600' },
      kills: { type: 'string', default: '50' },
      others: { type: 'string', default: '16' },
      rounds: { type: 'string', default: '5' },
      rate: { type: 'string', default: '20' },
      'failure-rate': { type: 'string', default: '0.3' },
      'slow-save': { type: 'string', default: '30' },
    },
  });
  const seed = Number(values.seed);
  const rounds = Number(values.rounds);
  const { path: binary } = await resolveTemporalBinary({
    cacheDir: defaultCacheDir(process.env, homedir()),
    env: process.env,
    onProgress: ({ message }) => process.stderr.write(`${message}\n`),
  });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  process.once('SIGTERM', () => interrupt.abort());
  say(`seed ${seed}: ${values.kills} kills and ${values.others} other faults in ${values.duration} s`);
  const report = await attack({
    seed,
    rounds,
    roundMs: (Number(values.duration) * 1000) / rounds,
    kills: Number(values.kills),
    others: Number(values.others),
    recordsPerSecond: Number(values.rate),
    failureRate: Number(values['failure-rate']),
    slowSaveMs: Number(values['slow-save']) * 1000,
    binary,
    onProgress: say,
    signal: interrupt.signal,
  });
  say(`\n${renderAttack(report)}`);
  return isUnharmed(report) ? 0 : 1;
}
