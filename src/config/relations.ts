import { describeReceived, type FieldProblem } from '../domain/field-problems';
import { settingName } from './names';
import { formatBytes } from './parse';
import type { Config, SettingKey } from './settings';

/** Values that are valid by themselves, and the names that the user wrote. A setting with a problem is left out. */
export interface Draft {
  values: Partial<Config>;
  /** The name that the user wrote; undefined if the value is the default. */
  writtenAs(key: SettingKey): string | undefined;
}

/** Problems between settings that are each valid by themselves. */
export function relationProblems(draft: Draft): FieldProblem[] {
  return [
    ...orderProblems(draft, 'maxRecordBytes', 'maxRequestBytes'),
    ...orderProblems(draft, 'maxRequestBytes', 'maxBufferedBytes'),
    ...hostProblems(draft),
    ...tlsProblems(draft),
    ...encryptionProblems(draft),
    ...portProblems(draft),
    ...storeProblems(draft),
    ...scopeProblems(draft),
  ];
}

type SizeKey = 'maxRecordBytes' | 'maxRequestBytes' | 'maxBufferedBytes';

/** Reports the setting that was written, because its user may never have heard of the other one, a default. */
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
    'a loopback address (127.0.0.1, ::1, localhost) while there are no API_KEYS, because anyone who can reach the port could ' +
    'send, read and pause; set API_KEYS, or stay on loopback behind a proxy that authenticates clients';
  return [{ field: writtenAs('httpHost') ?? 'HTTP_HOST', expected, received: describeReceived(httpHost) }];
}

function encryptionProblems({ values, writtenAs }: Draft): FieldProblem[] {
  const { encryptionKeys, encryptionKeysFile, codecOrigins } = values;
  if (encryptionKeys === undefined || encryptionKeysFile === undefined) return [];
  const [hasKeys, hasFile] = [encryptionKeys.length > 0, encryptionKeysFile !== ''];
  if (hasKeys && hasFile) {
    const field = writtenAs('encryptionKeysFile') ?? settingName('encryptionKeysFile');
    const expected = 'nothing beside ENCRYPTION_KEYS: keys come from one place';
    return [{ field, expected, received: describeReceived(encryptionKeysFile) }];
  }
  if (hasKeys || hasFile || codecOrigins === undefined || codecOrigins === '') return [];
  const field = writtenAs('codecOrigins') ?? settingName('codecOrigins');
  const expected = 'nothing without ENCRYPTION_KEYS or ENCRYPTION_KEYS_FILE: there is nothing to decrypt';
  return [{ field, expected, received: describeReceived(codecOrigins) }];
}

const TLS_FILES = ['tlsCertFile', 'tlsKeyFile'] as const;

/** Both or neither; reports the one that was written. */
function tlsProblems({ values, writtenAs }: Draft): FieldProblem[] {
  const [cert, key] = TLS_FILES.map((file) => values[file]);
  if (cert === undefined || key === undefined || (cert === '') === (key === '')) return [];
  const [given, missing] = key === '' ? TLS_FILES : ([TLS_FILES[1], TLS_FILES[0]] as const);
  const expected = `${settingName(missing)} as well: TLS needs the certificate and its key`;
  return [
    { field: writtenAs(given) ?? settingName(given), expected, received: describeReceived(values[given]) },
  ];
}

/** The settings that each store requires. */
const STORE_NEEDS = [
  { store: 'postgres', key: 'postgresUrl', what: 'the address of the database' },
  { store: 's3', key: 's3Bucket', what: 'the bucket to write batches to' },
  { store: 'http', key: 'storeUrl', what: 'the endpoint to send batches to' },
  { store: 'http', key: 'storeSecrets', what: 'the secrets to sign requests with' },
] as const;

function storeProblems({ values, writtenAs }: Draft): FieldProblem[] {
  return STORE_NEEDS.filter(({ store, key }) => values.store === store && values[key]?.length === 0).map(
    ({ store, key, what }) => ({
      field: writtenAs('store') ?? 'STORE',
      expected: `${settingName(key)} with ${store}: ${what}`,
      received: describeReceived(values.store),
    }),
  );
}

/** Rules in which nothing has to be equal can't be routed: conflicting records may reach any two shards. */
function scopeProblems({ values, writtenAs }: Draft): FieldProblem[] {
  const { conflictScope, shards } = values;
  if (conflictScope !== 'running' || shards === undefined || shards === 1) return [];
  const expected =
    'file while SHARDS is more than 1: each shard knows only its own batches in flight, and conflicting records may reach ' +
    'different shards; set SHARDS to 1, or keep conflicting records apart only in files';
  const field = writtenAs('conflictScope') ?? settingName('conflictScope');
  return [{ field, expected, received: describeReceived(conflictScope) }];
}

const PORTS = ['httpPort', 'tcpPort', 'temporalPort', 'uiPort', 'metricsPort'] as const;

/** Reports each clash once, at the later port unless only the earlier one was written; 0 never clashes. */
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
