import { describeReceived, type FieldProblem } from '../domain/errors';
import { settingName } from './names';
import { formatBytes } from './parse';
import type { Config, SettingKey } from './settings';

/** Values that are right by themselves, and how the user calls them. A setting that has a problem already is left out. */
export interface Draft {
  values: Partial<Config>;
  /** The name as it was written, or `undefined` when the value is the default. */
  writtenAs(key: SettingKey): string | undefined;
}

/** What is wrong between settings although each is right by itself. */
export function relationProblems(draft: Draft): FieldProblem[] {
  return [
    ...orderProblems(draft, 'maxRecordBytes', 'maxRequestBytes'),
    ...orderProblems(draft, 'maxRequestBytes', 'maxBufferedBytes'),
    ...hostProblems(draft),
    ...tlsProblems(draft),
    ...portProblems(draft),
    ...storeProblems(draft),
    ...scopeProblems(draft),
  ];
}

type SizeKey = 'maxRecordBytes' | 'maxRequestBytes' | 'maxBufferedBytes';

/** Blames the one that was written, as the other may well be a default that its user never heard of. */
function orderProblems({ values, writtenAs }: Draft, lower: SizeKey, upper: SizeKey): FieldProblem[] {
  const [low, high] = [values[lower], values[upper]];
  if (low === undefined || high === undefined || low <= high) return [];
  const lowerField = writtenAs(lower);
  if (lowerField === undefined) {
    const expected = `at least ${settingName(lower)}, which is ${formatBytes(low)}`;
    return [{ field: writtenAs(upper) ?? settingName(upper), expected, received: formatBytes(high) }];
  }
  const expected = `at most ${settingName(upper)}, which is ${formatBytes(high)}`;
  return [{ field: lowerField, expected, received: formatBytes(low) }];
}

const OCTET = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const LOOPBACK = new RegExp(`^(localhost|::1|127(\\.${OCTET}){3})$`, 'i');

/** Whether only this machine can reach a server that listens there: 127.0.0.0/8, `::1` and `localhost`. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function hostProblems({ values, writtenAs }: Draft): FieldProblem[] {
  const { httpHost, apiKeys } = values;
  if (httpHost === undefined || apiKeys === undefined || apiKeys.length > 0 || isLoopback(httpHost))
    return [];
  const expected =
    'a loopback address (127.0.0.1, ::1, localhost) as long as there are no API_KEYS: whoever reaches the port could ' +
    'send, read and pause; set API_KEYS, or stay on loopback behind a proxy that lets in the right ones';
  return [{ field: writtenAs('httpHost') ?? 'HTTP_HOST', expected, received: describeReceived(httpHost) }];
}

const TLS_FILES = ['tlsCertFile', 'tlsKeyFile'] as const;

/** Both or neither; blames the one that was written. */
function tlsProblems({ values, writtenAs }: Draft): FieldProblem[] {
  const [cert, key] = TLS_FILES.map((file) => values[file]);
  if (cert === undefined || key === undefined || (cert === '') === (key === '')) return [];
  const [given, missing] = key === '' ? TLS_FILES : ([TLS_FILES[1], TLS_FILES[0]] as const);
  const expected = `${settingName(missing)} beside it: TLS needs the certificate and its key`;
  return [
    { field: writtenAs(given) ?? settingName(given), expected, received: describeReceived(values[given]) },
  ];
}

/** What a store can't do without. */
const STORE_NEEDS = [
  { store: 'postgres', key: 'postgresUrl', what: 'the address of the database' },
  { store: 's3', key: 's3Bucket', what: 'the bucket that batches are written to' },
  { store: 'http', key: 'storeUrl', what: 'the endpoint that batches are sent to' },
  { store: 'http', key: 'storeSecrets', what: 'what requests are signed with' },
] as const;

function storeProblems({ values, writtenAs }: Draft): FieldProblem[] {
  return STORE_NEEDS.filter(({ store, key }) => values.store === store && values[key]?.length === 0).map(
    ({ store, key, what }) => ({
      field: writtenAs('store') ?? 'STORE',
      expected: `${settingName(key)} beside ${store}: ${what}`,
      received: describeReceived(values.store),
    }),
  );
}

/** Rules of which no part has to be equal can't be routed: two records that conflict may come to any two shards. */
function scopeProblems({ values, writtenAs }: Draft): FieldProblem[] {
  const { conflictScope, shards } = values;
  if (conflictScope !== 'running' || shards === undefined || shards === 1) return [];
  const expected =
    'file as long as SHARDS is more than 1: each shard knows only its own batches in flight, and conflicting records ' +
    'may come to several; set SHARDS to 1, or keep conflicting records apart in files alone';
  const field = writtenAs('conflictScope') ?? settingName('conflictScope');
  return [{ field, expected, received: describeReceived(conflictScope) }];
}

const PORTS = ['httpPort', 'tcpPort', 'temporalPort', 'uiPort', 'metricsPort'] as const;

/** Each clash once, at the later port unless only the earlier one was written; 0 never clashes. */
function portProblems({ values, writtenAs }: Draft): FieldProblem[] {
  return PORTS.flatMap((later, index) => {
    const port = values[later];
    const earlier = PORTS.slice(0, index).find((key) => values[key] === port);
    if (port === undefined || port === 0 || earlier === undefined) return [];
    const [blamed, other] = writtenAs(later) === undefined ? [earlier, later] : [later, earlier];
    const expected = `a port other than that of ${settingName(other)}`;
    return [{ field: writtenAs(blamed) ?? settingName(blamed), expected, received: describeReceived(port) }];
  });
}
