import type { DeadLetterGroup, DeadLetterGroups } from '../../contracts/api/answers/dead-letters';
import { keepAnswer } from '../../concurrency/keep-answer';
import { SECOND } from '../../domain/duration';
import { errorKind } from '../../domain/error-kind';
import type { DeadLetterReader, FoundLetter } from './dead-letters';
import type { KnownRedrives } from './known-redrives';

/** Of what is looked at for one answer. */
const MAX_LETTERS = 10_000;
const EXAMPLES = 5;

/** An answer is shared by all who ask within this time. */
const KEPT_MS = 5 * SECOND;

/** Counts dead letters that were not sent again, by error. One per process: callers share the last answer. */
export class DeadLetterGroupsReader {
  /** Callers share the last answer. */
  readonly read = keepAnswer(KEPT_MS, () => this.count());

  constructor(
    private readonly letters: Pick<DeadLetterReader, 'pages'>,
    private readonly known: Pick<KnownRedrives, 'among'>,
    private readonly retentionMs: () => Promise<number | undefined>,
  ) {}

  private async count(): Promise<DeadLetterGroups> {
    const retentionMs = await this.retentionMs();
    const groups = new Map<string, DeadLetterGroup>();
    let seen = 0;
    let isWhole = true;
    for await (const page of this.letters.pages()) {
      const sentAgain = await this.known.among(page);
      for (const letter of page) if (!sentAgain.has(letter.redriveId)) addTo(groups, letter, retentionMs);
      seen += page.length;
      if (seen >= MAX_LETTERS) {
        isWhole = false;
        break;
      }
    }
    return { groups: [...groups.values()].sort((a, b) => b.records - a.records), isWhole };
  }
}

function addTo(
  groups: Map<string, DeadLetterGroup>,
  letter: FoundLetter,
  retentionMs: number | undefined,
): void {
  const error = errorKind(letter.error ?? null);
  const at = new Date(letter.atMs).toISOString();
  const forgottenAt = retentionMs === undefined ? null : new Date(letter.atMs + retentionMs).toISOString();
  const group = groups.get(error);
  if (group === undefined) {
    groups.set(error, {
      error,
      records: 1,
      oldestAt: at,
      newestAt: at,
      forgottenAt,
      examples: [letter.recordId],
    });
    return;
  }
  group.records++;
  if (group.examples.length < EXAMPLES) group.examples.push(letter.recordId);
  if (at > group.newestAt) group.newestAt = at;
  if (at < group.oldestAt) Object.assign(group, { oldestAt: at, forgottenAt });
}
