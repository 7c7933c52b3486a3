import type { OutcomeLine } from '../helpers/audit';
import { canonicalJson, type JsonValue } from '../../src/domain/json';
import { indexOf, requestIdOf } from '../../src/domain/records/record';

/** What a client sent and doesn't know, or doesn't know under which ids: a line of what is kept of it. */
export type Uncertain =
  /** A list of which no answer came: it was taken whole, or not at all. */
  | { sent: 'list'; values: JsonValue[] }
  /** A list without an id that was acknowledged, over TCP: it is there once. */
  | { sent: 'acknowledged'; values: JsonValue[] }
  /** A stream without a key that broke without a word: so much of its beginning as may be. */
  | { sent: 'stream'; values: JsonValue[] }
  /** The rest of a stream without a key of which it was said that it was taken up to here. */
  | { sent: 'rest'; requestId: string; from: number; values: JsonValue[] };

export interface Explained {
  /** Records with an outcome that nothing of this explains. */
  unexplained: string[];
  /** Lists that were acknowledged without an id and of which there is no outcome. */
  missing: string[];
  /** Records that are acknowledged by it. */
  acknowledged: number;
}

/** Holds outcomes of which the ledger knows nothing against what clients don't know. */
export function explain(lines: readonly OutcomeLine[], uncertain: readonly Uncertain[]): Explained {
  const acknowledged = new Map<string, number>();
  const maybe = new Map<string, number>();
  const streams = new Map<string, JsonValue[]>();
  const rests = new Map<string, { from: number; values: JsonValue[] }>();
  for (const one of uncertain) {
    const { values } = one;
    if (one.sent === 'rest') rests.set(one.requestId, one);
    // Its first record tells a stream from every other.
    else if (one.sent === 'stream') streams.set(canonicalJson(values[0] ?? null), values);
    else add(one.sent === 'list' ? maybe : acknowledged, canonicalJson(values), 1);
  }
  const unexplained: string[] = [];
  for (const [requestId, own] of byRequest(lines)) {
    const values = own.map(({ value }) => value);
    const text = canonicalJson(values);
    const rest = rests.get(requestId);
    const beginning = streams.get(canonicalJson(values[0] ?? null));
    if (rest !== undefined && isStretch(own, rest.from, rest.values)) continue;
    if (isStretch(own, 0, values) && (take(acknowledged, text) || take(maybe, text))) continue;
    if (beginning !== undefined && isStretch(own, 0, beginning)) continue;
    unexplained.push(...own.map(({ recordId }) => recordId));
  }
  const left = [...acknowledged].flatMap(([text, times]) =>
    Array<string>(times).fill(`without an id: ${text}`),
  );
  return {
    unexplained,
    missing: left,
    acknowledged: uncertain.reduce(
      (sum, { sent, values }) => sum + (sent === 'acknowledged' ? values.length : 0),
      0,
    ),
  };
}

/** Whether these are, one after the other, the values of a request from this place on, as far as there are any. */
function isStretch(lines: readonly OutcomeLine[], from: number, values: readonly JsonValue[]): boolean {
  return lines.every(
    ({ recordId, value }, i) =>
      indexOf(recordId) === from + i && canonicalJson(value) === canonicalJson(values[from + i] ?? null),
  );
}

function byRequest(lines: readonly OutcomeLine[]): Map<string, OutcomeLine[]> {
  const requests = new Map<string, OutcomeLine[]>();
  for (const line of lines) {
    const requestId = requestIdOf(line.recordId);
    requests.set(requestId, [...(requests.get(requestId) ?? []), line]);
  }
  for (const own of requests.values()) own.sort((a, b) => indexOf(a.recordId) - indexOf(b.recordId));
  return requests;
}

function take(counts: Map<string, number>, key: string): boolean {
  if ((counts.get(key) ?? 0) === 0) return false;
  add(counts, key, -1);
  return true;
}

function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
