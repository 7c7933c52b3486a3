import type { AcceptedRequest, OperatorAction } from '../../contracts/workflow/batcher';
import type { RedriveResult, RedriveSelection } from '../../contracts/api/dead-letters';
import { KIB } from '../../domain/duration';
import { KeepapartError, isKeepapartError } from '../../domain/errors';
import { jsonBytes } from '../../domain/json';
import type { DeadLetterReader, FoundLetter } from './dead-letters';
import { digestOf } from '../shard/digests';
import type { Shard } from '../shard/shard';
import type { Shards } from '../shard/shards';
import type { KnownRedrives } from './known-redrives';

/** What goes in one message to a batcher; a single record may be larger. */
const MAX_GROUP_REQUESTS = 100;
const MAX_GROUP_BYTES = 256 * KIB;

export interface RedriveParts {
  letters: DeadLetterReader;
  known: KnownRedrives;
  shards: Shards;
}

/**
 * Sends dead letters again, each once for ever. What was sent before is found and left alone; what another operator sends
 * at the same moment, or what Temporal doesn't show yet, bears the same key and is taken once by the batcher.
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
    throw tellProgress(error, result);
  }
  if (!('all' in selection) && result.redriven.length + result.alreadyRedriven.length === 0)
    throw new KeepapartError(
      'dead-letter-not-found',
      'None of what was asked for is a dead letter that Temporal still knows; nothing was sent',
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

  /** In halves when it doesn't fit whole, so that as many go as there is room for. */
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
  } else yield* letters.pages('requestId' in selection ? selection.requestId : undefined);
}

/** Requests that go in one message, with the dead letters that they are of. */
interface Group {
  shard: Shard;
  members: Member[];
}

interface Member {
  recordId: string;
  request: AcceptedRequest;
}

async function groupsToSend(members: readonly Member[], shards: Shards): Promise<Group[]> {
  const groups: Group[] = [];
  const open = new Map<Shard, { group: Group; bytes: number }>();
  for (const member of members) {
    const shard = await shards.keyed.homeOf(member.request.requestId);
    const bytes = jsonBytes(member.request.values);
    const current = open.get(shard);
    if (
      current !== undefined &&
      current.group.members.length < MAX_GROUP_REQUESTS &&
      current.bytes + bytes <= MAX_GROUP_BYTES
    ) {
      current.group.members.push(member);
      current.bytes += bytes;
    } else {
      const group = { shard, members: [member] };
      groups.push(group);
      open.set(shard, { group, bytes });
    }
  }
  return groups;
}

/** A full buffer ends a redrive midway: the caller has to know that the rest is for the next call. */
function tellProgress(error: unknown, { redriven }: RedriveResult): unknown {
  if (!isKeepapartError(error) || error.code !== 'buffer-full') return error;
  return new KeepapartError(
    'buffer-full',
    `${redriven.length} records were redriven before the buffer was full; the same call again goes on. ${error.message}`,
    error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs },
  );
}
