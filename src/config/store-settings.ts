import { MINUTE, SECOND } from '../domain/duration';
import { describeReceived } from '../domain/field-problems';
import { isObject, type JsonValue } from '../domain/json';
import { integer, oneOf, text, withChoices, type Parser } from './parse';
import { POSTGRES_SETTINGS } from './postgres-settings';
import { S3_SETTINGS } from './s3-settings';
import { setting } from './setting';

/** The built-in stores. */
export const BUILT_IN_STORES = ['file', 'postgres', 'http', 's3'] as const;

/** Whether STORE names a module of the user. */
export function isOwnStore(store: string): boolean {
  return !BUILT_IN_STORES.some((known) => known === store);
}

/** Whether saves of the dashboard's failing example fail: with the store of demonstrations, never with a database. */
export function hasFailingExample(store: string): boolean {
  return store === 'file';
}

const NOT_FOR_FILES = 'Not used with STORE=file or postgres';
const WITH_HTTP = 'Only used with STORE=http';

function storeOptions(): Parser<JsonValue> {
  const expected = 'a JSON object';
  return {
    expected,
    parse(raw) {
      const value = typeof raw === 'string' ? parseJson(raw) : raw;
      if (isObject(value) && !Array.isArray(value)) return { value: value as JsonValue };
      // Not shown, because options may contain secrets.
      const received =
        typeof raw === 'string'
          ? 'text that is not a JSON object'
          : describeReceived(raw).replace(/^.* \(/s, '(');
      return { problems: [{ field: '', expected, received }] };
    },
  };
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

const SECRET = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

/** Secrets in the format of Standard Webhooks. Problems never repeat what was written. */
function webhookSecrets(): Parser<readonly string[]> {
  const expected =
    'nothing, or one or two secrets separated by a comma: whsec_ and at least 24 bytes in Base64 each';
  return {
    expected,
    parse(raw) {
      const list = typeof raw === 'string' && raw.startsWith('[') ? parseJson(raw) : raw;
      const given: unknown[] = Array.isArray(list)
        ? list
        : typeof list === 'string'
          ? list.split(',')
          : [list];
      if (given.length === 1 && given[0] === '') return { value: [] };
      const secrets = given.flatMap((one) => (typeof one === 'string' && SECRET.test(one) ? [one] : []));
      if (secrets.length === given.length && secrets.length <= 2) return { value: secrets };
      const received = 'something else (not shown, because it may contain a secret)';
      return { problems: [{ field: '', expected, received }] };
    },
  };
}

function endpointUrl(): Parser<string> {
  const expected = 'nothing, or an http:// or https:// URL without user, password and fragment';
  return {
    expected,
    schema: { type: 'string' },
    parse(raw) {
      if (raw === '') return { value: raw };
      const url = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : undefined;
      const isFine =
        url !== undefined &&
        /^https?:$/.test(url.protocol) &&
        url.username === '' &&
        url.password === '' &&
        url.hash === '';
      if (isFine && typeof raw === 'string') return { value: raw };
      const received = url === undefined ? describeReceived(raw) : 'another kind of URL (not shown)';
      return { problems: [{ field: '', expected, received }] };
    },
  };
}

/** Where records are saved, and the settings of each store. */
export const STORE_SETTINGS = {
  store: setting({
    parser: withChoices(
      BUILT_IN_STORES,
      text(
        `one of ${BUILT_IN_STORES.join(', ')}, or the path of a module with a store of your own, which begins with ./, ../ or /`,
        new RegExp(`^(?:${BUILT_IN_STORES.join('|')}|\\.{0,2}/[^\\0]+)$`),
      ),
    ),
    default: 'file',
    about:
      'Where records are saved: in files, in Postgres with bulk upserts, in S3, by your HTTP endpoint, or by your own code.',
    related:
      "The same for every worker. Change it only when everything is drained, because one store doesn't have what the other saved. See STORES.md.",
  }),
  storeOptions: setting({
    parser: storeOptions(),
    default: {},
    about: 'Options for your own store, validated by its schema; an object in the file, JSON elsewhere.',
    related: 'Only used with your own store.',
    show: (options) => (isObject(options) ? Object.keys(options) : options),
  }),
  storeTimeoutMs: setting({
    parser: integer(100, 10 * MINUTE),
    default: 30 * SECOND,
    unit: 'ms',
    about: 'Maximum time for one call of the store; after that the attempt has failed.',
    related: `${NOT_FOR_FILES}; Postgres has POSTGRES_TIMEOUT_MS. With STORE=s3, for one request; after that S3 is unavailable.`,
    raising: 'Raising it lets a call that never ends delay its batch longer.',
  }),
  storeCalls: setting({
    parser: integer(1, 1000),
    default: 16,
    unit: 'calls',
    about: 'Maximum simultaneous calls of the store by one worker, each for one batch.',
    related: `${NOT_FOR_FILES}. With STORE=s3, requests; a batch is about five.`,
    raising: 'Raising it puts more load on the store.',
  }),
  storeUrl: setting({
    parser: endpointUrl(),
    default: '',
    about: 'Endpoint that batches are sent to.',
    related: `Required with STORE=http. ${WITH_HTTP}.`,
  }),
  storeSecrets: setting({
    parser: webhookSecrets(),
    default: [],
    about:
      'Secrets for signing requests as in Standard Webhooks; two while the endpoint changes from one to the other.',
    related: `Required with STORE=http. Set them in the environment rather than as a flag. ${WITH_HTTP}.`,
    show: (secrets) => secrets.map(() => 'whsec_…'),
  }),
  storePrivateAddresses: setting({
    parser: oneOf('refuse', 'allow'),
    default: 'refuse',
    about:
      'Whether STORE_URL may point to this machine or a private network: loopback, private, link-local and similar addresses.',
    related: `Checked against the address of each connection. ${WITH_HTTP}.`,
  }),
  ...POSTGRES_SETTINGS,
  ...S3_SETTINGS,
};
