import type { AcceptedRequest, OperatorAction } from '../../contracts/workflow/batcher';
import type { RedriveResult } from '../../contracts/api/answers/dead-letters';
import type { RedriveSelection } from '../../contracts/api/filters';
import { KIB } from '../../domain/duration';
import { errorKind } from '../../domain/error-kind';
import { KeepapartError, isKeepapartError } from '../../domain/errors';
import { jsonBytes } from '../../domain/json';
import { groupBy } from '../../domain/group-by';
import { portions } from '../../domain/portions';
import type { DeadLetterReader, FoundLetter } from './dead-letters';
import { digestOf } from '../shard/digests';
import type { Shard } from '../shard/shard';
import type { Shards } from '../shard/shards';
import type { KnownRedrives } from './known-redrives';

/** What one message to a batcher may hold; a single record may be larger. */
const MAX_GROUP = { items: 100, bytes: 256 * KIB } as const;

export interface RedriveParts {
  letters: DeadLetterReader;
  known: KnownRedrives;
  shards: Shards;
}

/**
 * Redrives dead letters, each at most once. Those that were redriven before are skipped. If another operator redrives one
 * at the same time, or Temporal doesn't show it yet, both use the same key and the batcher accepts it once.
 * @throws `dead-letter-not-found` if nothing was found; `buffer-full` and `temporal-unavailable` (retried by the client)
 *   if not everything could be sent: repeating the call continues
 */
export async function redrive(
  { letters, known, shards }: RedriveParts,
  selection: RedriveSelection,
  action: OperatorAction,
): Promise<RedriveResult> {
  const result: RedriveResult = { redriven: [], alreadyRedriven: [], notFound: [] };
  try {
    for await (const found of select(letters, selection, result)) {
      const open = await leaveOutKnown(found);
      const values = await letters.values(open);
      const requests = open.map(({ redriveId, recordId }, i) => {
        const request = { requestId: redriveId, values: [values[i] ?? null] };
        return { recordId, request: { ...request, digest: digestOf(request) } };
      });
      for (const group of await groupsToSend(requests, shards)) await sendGroup(group);
    }
  } catch (error) {
    throw withProgress(error, result);
  }
  if (!('all' in selection) && result.redriven.length + result.alreadyRedriven.length === 0)
    throw new KeepapartError(
      'dead-letter-not-found',
      'None of these is a dead letter that Temporal still has; nothing was sent',
    );
  return result;

  async function leaveOutKnown(found: readonly FoundLetter[]): Promise<FoundLetter[]> {
    const sentAgain = await known.among(found);
    const rest = found.map(({ redriveId }) => redriveId).filter((redriveId) => !sentAgain.has(redriveId));
    for (const redriveId of await known.buffered(rest)) sentAgain.add(redriveId);
    for (const { recordId, redriveId } of found) {
      if (sentAgain.has(redriveId)) result.alreadyRedriven.push({ recordId, requestId: redriveId });
    }
    return found.filter(({ redriveId }) => !sentAgain.has(redriveId));
  }

  /** Splits the group in half if the buffer has no room for it, so that as many as possible are sent. */
  async function sendGroup({ shard, members }: Group): Promise<void> {
    try {
      await shard.redrive(
        members.map(({ request }) => request),
        action,
      );
    } catch (error) {
      if (members.length === 1 || !isKeepapartError(error) || error.code !== 'buffer-full') throw error;
      const half = Math.ceil(members.length / 2);
      await sendGroup({ shard, members: members.slice(0, half) });
      await sendGroup({ shard, members: members.slice(half) });
      return;
    }
    for (const { recordId, request } of members) {
      result.redriven.push({ recordId, requestId: request.requestId });
    }
  }
}

async function* select(
  letters: DeadLetterReader,
  selection: RedriveSelection,
  result: RedriveResult,
): AsyncGenerator<FoundLetter[]> {
  if ('batchId' in selection) yield await letters.ofBatch(selection.batchId);
  else if ('records' in selection) {
    const recordIds = [...new Set(selection.records)];
    const found = await letters.named(recordIds);
    const known = new Set(found.map(({ recordId }) => recordId));
    result.notFound.push(...recordIds.filter((recordId) => !known.has(recordId)));
    yield found;
  } else if ('error' in selection) {
    for await (const page of letters.pages())
      yield page.filter(({ error }) => errorKind(error ?? null) === selection.error);
  } else yield* letters.pages('requestId' in selection ? selection.requestId : undefined);
}

/** Requests of one message, with the dead letters they redrive. */
interface Group {
  shard: Shard;
  members: Member[];
}

interface Member {
  recordId: string;
  request: AcceptedRequest;
}

async function groupsToSend(members: readonly Member[], shards: Shards): Promise<Group[]> {
  const homes = await Promise.all(
    members.map(async (member) => ({ member, shard: await shards.keyed.homeOf(member.request.requestId) })),
  );
  return [...groupBy(homes, ({ shard }) => shard)].flatMap(([shard, own]) =>
    portions(
      own.map(({ member }) => member),
      MAX_GROUP,
      ({ request }) => jsonBytes(request.values),
    ).map((group) => ({ shard, members: group })),
  );
}

/** A full buffer ends a redrive midway; the error says how far it got. */
function withProgress(error: unknown, { redriven }: RedriveResult): unknown {
  if (!isKeepapartError(error) || error.code !== 'buffer-full') return error;
  return new KeepapartError(
    'buffer-full',
    `${redriven.length} records were redriven before the buffer was full; repeat the call to continue. ${error.message}`,
    error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs },
  );
}
