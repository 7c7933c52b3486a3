import { MAX_LOOKED_AT, type Wait } from '../../../src/contracts/workflow/waits';
import { bufferedRecordId, type BufferedRecord } from '../../../src/domain/buffer/buffer';
import { noteReach, rulesBeyond, type Reaches } from '../../../src/domain/explain/reaches';
import { STANDING, type Standings } from '../../../src/domain/pace/standings';
import { childIdOf } from '../../../src/domain/records/batch';
import type { ConflictRule } from '../../../src/domain/rules';
import { Holders, type Holder } from '../../../src/domain/running/holders';
import { ruleAndDigestOf, type Hold } from '../../../src/domain/running/holds';
import { ruleIndexOf } from '../../../src/domain/running/rule-index';
import type { BatcherState } from '../run/state';

/* What delays a record, by name: batches in flight, older records and rules. */

/** Maximum length of each list of rules. */
const MAX_TOLD_RULES = 10;

/**
 * What holds back records of the head in scope `running`: nothing for those without a conflict, as when there is no
 * room to record what they would hold.
 */
export function heldByOf(
  { apart, buffer: { head }, settings: { conflicts }, workflowId }: BatcherState,
  goesAt: (record: BufferedRecord) => number | undefined,
  isWanted: (record: BufferedRecord) => boolean,
  standings: Standings | undefined,
): (record: BufferedRecord) => Pick<Wait, 'heldBy' | 'untilMs'> {
  const found = new Map<BufferedRecord, Pick<Wait, 'heldBy' | 'untilMs'>>();
  if (apart === null) return () => ({});
  const { held, holds } = apart;
  const describe = ({ seq, endedAtMs, recordId }: Holder, hold?: Hold): Pick<Wait, 'heldBy' | 'untilMs'> => {
    const [rule, place] = hold === undefined ? [-1] : ruleAndDigestOf(hold);
    return {
      ...(endedAtMs !== undefined && { untilMs: endedAtMs + held.apartMs }),
      heldBy: {
        ...(conflicts[rule] !== undefined && { rule: conflicts[rule] }),
        ...(seq !== undefined && {
          childId: childIdOf(workflowId, seq),
          ...(place !== undefined && { place }),
        }),
        ...(recordId !== undefined && { recordId }),
      },
    };
  };
  const current = held.holders();
  const stranger = held.stranger();
  const older = new Holders();
  for (const record of head.waiting) {
    if (standings?.of(record) === STANDING.held) continue;
    const own = holds.of(record);
    if (own.length > 0 && isWanted(record) && goesAt(record) === undefined) {
      const by = current.against(own) ?? (stranger === undefined ? older.against(own) : { holder: stranger });
      if (by !== undefined)
        found.set(record, 'hold' in by ? describe(by.holder, by.hold) : describe(by.holder));
    }
    for (const hold of own) older.note(hold, { recordId: bufferedRecordId(record) });
  }
  return (record) => found.get(record) ?? {};
}

/**
 * The rules that delay a record: those that kept it out of a batch, and those that keep it apart from an older record.
 */
export function rulesAgainst({
  buffer: { head },
  reaches,
  settings: { conflicts },
}: BatcherState): (record: BufferedRecord) => Pick<Wait, 'passedOverBy' | 'keptApartBy'> {
  const index = ruleIndexOf(conflicts);
  // The reverse of how far batches reach: how far back in the order of acceptance a place is occupied.
  const older: Reaches = new Map();
  let lookedAt = 0;
  for (const records of [...head.partial, head.waiting, ...head.full]) {
    for (const { value, seq } of records.slice(0, MAX_LOOKED_AT - lookedAt)) {
      noteReach(older, index.placesOf(value), -seq);
      lookedAt++;
    }
    if (lookedAt >= MAX_LOOKED_AT) break;
  }
  return ({ value, seq }) => {
    const places = index.placesOf(value);
    const passedOverBy = rulesAt(conflicts, rulesBeyond(reaches, places, seq));
    const keptApartBy = rulesAt(conflicts, rulesBeyond(older, places, -seq));
    return {
      ...(passedOverBy.length > 0 && { passedOverBy }),
      ...(keptApartBy.length > 0 && { keptApartBy }),
    };
  };
}

function rulesAt(rules: readonly ConflictRule[], places: readonly number[]): ConflictRule[] {
  return places.slice(0, MAX_TOLD_RULES).flatMap((place) => rules[place] ?? []);
}
