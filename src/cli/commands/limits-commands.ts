import type { ShardLimits, LimitKey, LimitsPatch, StatusView } from '../../client';
import { table } from '../terminal/table';
import { plain } from '../terminal/text';
import { Argument, type Command } from 'commander';
import { settingName } from '../../config';
import { closestName } from '../../domain/closest-name';
import { KeepapartError } from '../../domain/errors';
import { LIMIT_KEYS } from '../../domain/limits';
import { addApiFlags, openApi, type Flags } from './api-access';
import { AS_JSON, BY } from '../terminal/flags';
import { suggest } from '../terminal/suggestions';
import { print } from '../terminal/text';

interface ChangeFlags extends Flags {
  by?: string;
  all?: true;
}

/** `keepapart limits`, `limits set` and `limits reset`: what can be changed while everything runs, through the HTTP API. */
export function registerLimits(program: Command): void {
  const limits = program
    .command('limits')
    .description('show, set and reset the limits that can be changed at runtime');

  addApiFlags(
    limits.command('show', { isDefault: true }).description('show the limits in force (the default)'),
  )
    .option(...AS_JSON)
    .action(async (flags: Flags) =>
      print(flags, limitsOfStatus(await openApi(flags).status()), renderLimits),
    );

  addApiFlags(
    limits
      .command('set')
      .description('set limits; they override the configuration until they are reset')
      .addArgument(
        suggest(
          new Argument('<limit=value...>', `values as JSON; limits: ${LIMIT_KEYS.join(', ')}`),
          LIMIT_KEYS.map((key) => `${key}=`),
        ),
      ),
  )
    .option(...BY)
    .option(...AS_JSON)
    .addHelpText(
      'after',
      `\nExamples:\n  $ keepapart limits set maxBatchSize=20 MAX_IN_FLIGHT=10 --by Ann\n  $ keepapart limits set conflicts='[{"distinct":"/customerId"}]'`,
    )
    .action((assignments: string[], flags: ChangeFlags) =>
      change(Object.fromEntries(assignments.map(parseAssignment)), flags),
    );

  addApiFlags(
    limits
      .command('reset')
      .description('reset limits to the configuration')
      .addArgument(
        suggest(new Argument('[limit...]', 'the limits to reset; --all for every limit'), LIMIT_KEYS),
      ),
  )
    .option('--all', 'every limit')
    .option(...BY)
    .option(...AS_JSON)
    .addHelpText('after', '\nExample:\n  $ keepapart limits reset maxBatchSize')
    .action((names: string[], flags: ChangeFlags) => {
      if ((names.length === 0) !== (flags.all === true))
        throw new KeepapartError('invalid-config', 'Name the limits to reset, or all of them by --all.');
      const keys = flags.all === true ? LIMIT_KEYS : names.map(keyOf);
      return change(Object.fromEntries(keys.map((key) => [key, null])), flags);
    });
}

async function change(patch: LimitsPatch, flags: ChangeFlags): Promise<void> {
  const answer = await openApi(flags).changeLimits(patch, { by: flags.by });
  print(flags, answer, ({ by, shards }) => `Changed by ${by}.\n${renderLimits(shards)}`);
}

/** Of every shard what its status tells: the limits of the first, but for those that were set. */
function limitsOfStatus({ shards, settings }: StatusView): LimitsOfShard[] {
  const configured = { ...settings };
  for (const [key, { configured: value }] of Object.entries(shards[0]?.overridden ?? {}))
    Object.assign(configured, { [key]: value });
  return shards.map(({ shard, overridden }) => {
    const set = Object.entries(overridden).map(([key, { value }]) => [key, value] as const);
    return { shard, limits: { ...configured, ...Object.fromEntries(set) }, overridden };
  });
}

/** `maxBatchSize=20`, or `MAX_BATCH_SIZE=20` as in the configuration; what isn't JSON is a text. What is right the API says. */
function parseAssignment(text: string): [key: string, value: unknown] {
  const [, name, value = ''] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined)
    throw new KeepapartError('invalid-config', `A limit is set by name=value; this is ${text}.`);
  const key = keyOf(name);
  try {
    return [key, JSON.parse(value)];
  } catch {
    return [key, value];
  }
}

/** A limit by its name or its setting's. One that is neither is left to the API, unless it is nearly one. */
function keyOf(name: string): string {
  const key = LIMIT_KEYS.find((known: LimitKey) => known === name || settingName(known) === name);
  if (key !== undefined) return key;
  const meant = closestName(name, LIMIT_KEYS);
  if (meant === undefined) return name;
  throw new KeepapartError('invalid-config', `There is no limit ${name}. Did you mean ${meant}?`);
}

/** What is in force in a shard, and what of it was set while it ran. */
type LimitsOfShard = Pick<ShardLimits, 'shard' | 'limits' | 'overridden'>;

/** A row for each limit; for each shard where they differ. */
function renderLimits(shards: readonly LimitsOfShard[]): string {
  const [first, ...others] = shards.map(tableOf);
  if (first === undefined) return '';
  if (others.every((other) => other === first)) return `${first}\n`;
  return shards.map((shard) => `shard ${shard.shard}\n${tableOf(shard)}\n`).join('\n');
}

function tableOf({ limits, overridden }: LimitsOfShard): string {
  const rows = LIMIT_KEYS.map((key) => {
    const set = overridden[key];
    const value = JSON.stringify(limits[key]);
    if (set === undefined) return [key, value, '–', '–', '–'];
    return [key, value, JSON.stringify(set.configured), plain(set.by), new Date(set.atMs).toISOString()];
  });
  return table([['limit', 'in force', 'configured', 'set by', 'at'], ...rows]);
}
