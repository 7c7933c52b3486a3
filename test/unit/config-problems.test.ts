import { loadConfig, type ConfigInput } from '../../src/config';
import { isKeepapartError, type KeepapartError } from '../../src/domain/errors';
import type { FieldProblem } from '../../src/domain/field-problems';

const HASH = 'a'.repeat(64);

/** The error that this input is refused with. */
function refusal(input: Partial<ConfigInput>): KeepapartError {
  try {
    loadConfig({ env: {}, ...input });
  } catch (error) {
    if (isKeepapartError(error)) return error;
    throw error;
  }
  throw new Error('the input was accepted');
}

/** The only problem that this input is refused with. */
function problemOf(input: Partial<ConfigInput>): FieldProblem {
  const { problems } = refusal(input);
  expect(problems).toHaveLength(1);
  return problems[0] as FieldProblem;
}

function fileOf(settings: unknown): { path: string; text: string } {
  return { path: 'keepapart.config.json', text: JSON.stringify(settings) };
}

describe('a value that is not right by itself', () => {
  const PORT = 'an integer from 0 to 65535';
  const NAME = '1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit';
  const PACE =
    'an integer from 0 to 100000, or a JSON array of at most one {"perSecond":n} and one {"at":"/pointer","perSecond":n}';
  const SIZE = 'a whole number of bytes, KiB or MiB, from 1 byte to 1 MiB';
  const HOST = 'a host name or IP address, without port';
  const DAY = 24 * 60 * 60 * 1000;

  test.each([
    ['httpPort', '5abc', PORT],
    ['httpPort', '1e3', PORT],
    ['httpPort', '0x10', PORT],
    ['httpPort', ' 80', PORT],
    ['httpPort', '', PORT],
    ['httpPort', 80.5, PORT],
    ['httpPort', -1, PORT],
    ['httpPort', true, PORT],
    ['httpPort', null, PORT],
    ['tcpPort', '65536', PORT],
    ['httpHost', 'http://localhost', HOST],
    ['httpHost', 'localhost:3000', HOST],
    ['httpHost', '', HOST],
    ['rateLimitPerSecond', '0.5', 'an integer from 0 to 100000'],
    ['tlsCertFile', 'a\0b', 'nothing, or a path'],
    ['dataDir', '', 'a path'],
    ['outDir', 'a\0b', 'a path'],
    ['taskQueue', 'with space', NAME],
    ['batcherId', '-b', NAME],
    ['batcherId', 'b'.repeat(65), NAME],
    ['shards', 65, 'an integer from 1 to 64'],
    ['maxBatchSize', 0, 'an integer from 1 to 1000'],
    ['maxInFlight', 10_001, 'an integer from 1 to 10000'],
    ['maxAttempts', 101, 'an integer from 1 to 100'],
    ['flushIntervalMs', 0, `an integer from 1 to ${DAY}`],
    ['retryIntervalMs', 0, `an integer from 1 to ${DAY}`],
    ['batchSpacingMs', DAY + 1, `an integer from 0 to ${DAY}`],
    ['maxSavesPerSecond', '-1', PACE],
    ['maxSavesPerSecond', '1.5', PACE],
    ['maxSavesPerSecond', '[{"perSecond":1},{"perSecond":2}]', PACE],
    ['maxSavesPerSecond', '{"at":"tenant","perSecond":1}', 'a JSON Pointer of at most 256 bytes'],
    ['maxSavesPerSecond', '[{"at":"/tenant"}]', 'an integer from 1 to 100000'],
    ['saveFailureRate', '1.5', 'a number from 0 to 1'],
    ['saveFailureRate', '-0', 'a number from 0 to 1'],
    ['maxBufferedRecords', 200_001, 'an integer from 1 to 200000'],
    ['maxRecordBytes', '64 KB', SIZE],
    ['maxRecordBytes', '1.5 KiB', SIZE],
    ['maxRecordBytes', '0', SIZE],
    ['maxBufferedBytes', '33 MiB', 'a whole number of bytes, KiB or MiB, from 1 byte to 32 MiB'],
    ['outcomeFormat', 'xml', 'one of text, json'],
    ['logLevel', 'INFO', 'one of trace, debug, info, warn, error, fatal, silent'],
    ['saveActivity', 'local', 'one of auto, record, batch'],
    ['conflicts', '[{]', 'a JSON array of conflict rules, at most 64 KiB'],
    ['conflicts', '{"pair":[1,2]}', 'a JSON array of conflict rules, at most 64 KiB'],
  ])('%s: %j is refused', (key, written, expected) => {
    expect(problemOf({ flags: { [key]: written } }).expected).toBe(expected);
  });
});

test('Conflict rules of many thousand levels are refused like any others that are none.', () => {
  const conflicts = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  expect(problemOf({ flags: { conflicts } })).toEqual({
    field: '--conflicts',
    expected: 'a JSON array of conflict rules, at most 64 KiB',
    received: 'more than 100 levels (array)',
  });
});

test('A setting of an earlier release is refused as an unknown name.', () => {
  expect(problemOf({ env: { KEEPAPART_BATCHES_PER_CHILD: '20' } })).toMatchObject({
    field: 'KEEPAPART_BATCHES_PER_CHILD',
    expected: 'the name of a setting',
  });
});

test('Conflict rules that would crowd out the buffer in the state of the batcher are refused (G6).', () => {
  const conflicts = [{ group: ['a', 'x'.repeat(64 * 1024)] }];
  expect(problemOf({ flags: { conflicts } }).expected).toBe('a JSON array of conflict rules, at most 64 KiB');
});

describe('a problem has the name that the user wrote, what is expected and what was received with its type', () => {
  test('in the environment', () => {
    expect(problemOf({ env: { KEEPAPART_HTTP_PORT: '5abc' } })).toEqual({
      field: 'KEEPAPART_HTTP_PORT',
      expected: 'an integer from 0 to 65535',
      received: '"5abc" (string)',
    });
  });

  test('in the file', () => {
    expect(problemOf({ file: fileOf({ HTTP_PORT: true }) })).toMatchObject({
      field: 'HTTP_PORT in keepapart.config.json',
      received: 'true (boolean)',
    });
  });

  test('among the flags', () => {
    expect(problemOf({ flags: { httpPort: 70_000 } })).toMatchObject({
      field: '--http-port',
      received: '70000 (number)',
    });
  });

  test('inside the conflict rules', () => {
    const rules = [{ pair: [1, 2] }, { pair: [3] }];
    expect(problemOf({ env: { KEEPAPART_CONFLICTS: JSON.stringify(rules) } }).field).toBe(
      'KEEPAPART_CONFLICTS/1/pair',
    );
    expect(problemOf({ file: fileOf({ CONFLICTS: rules }) }).field).toBe(
      'CONFLICTS/1/pair in keepapart.config.json',
    );
  });
});

describe('an unknown name is refused', () => {
  test.each<[Partial<ConfigInput>, string, string]>([
    [{ env: { KEEPAPART_HTPT_PORT: '1' } }, 'KEEPAPART_HTPT_PORT', 'KEEPAPART_HTTP_PORT'],
    [{ env: { KEEPAPART_BATCH_SIZE: '' } }, 'KEEPAPART_BATCH_SIZE', 'KEEPAPART_MAX_BATCH_SIZE'],
    [{ file: fileOf({ httpPort: 1 }) }, 'httpPort in keepapart.config.json', 'HTTP_PORT'],
    [{ file: fileOf({ KEEPAPART_SHARDS: 1 }) }, 'KEEPAPART_SHARDS in keepapart.config.json', 'SHARDS'],
    [{ flags: { maxBatchSze: '1' } }, '--max-batch-sze', '--max-batch-size'],
  ])('%j: the name that is close is suggested', (input, field, meant) => {
    expect(problemOf(input)).toEqual({
      field,
      expected: 'the name of a setting',
      received: `an unknown name; did you mean ${meant}?`,
    });
  });

  test('nothing is suggested when nothing is close', () => {
    expect(problemOf({ env: { KEEPAPART_COLOUR: 'blue' } }).received).toBe('an unknown name');
  });
});

describe('a file that holds no settings is one problem', () => {
  const path = 'keepapart.config.json';
  test.each([
    ['', 'text that is not valid JSON'],
    ['{"HTTP_PORT": }', 'text that is not valid JSON'],
    ['{\n"HTTP_PORT": 1,\n}', 'text that is not valid JSON, see line 3'],
    ['[1]', 'an array'],
    ['null', 'null'],
    ['"x"', 'a string'],
  ])('%j', (text, received) => {
    expect(problemOf({ file: { path, text } })).toEqual({
      field: path,
      expected: 'a JSON object with settings as keys',
      received,
    });
  });

  test('and nothing is said of what it might have held', () => {
    const env = { KEEPAPART_HTTP_HOST: '0.0.0.0' };
    expect(problemOf({ env, file: { path, text: '{"API_KEYS": ' } }).field).toBe(path);
  });
});

describe('settings that do not go together', () => {
  test('the blamed one is the one that was written', () => {
    expect(problemOf({ flags: { maxRecordBytes: '64KiB', maxRequestBytes: '32KiB' } })).toEqual({
      field: '--max-record-bytes',
      expected: 'at most MAX_REQUEST_BYTES, which is 32 KiB',
      received: '64 KiB',
    });
    expect(problemOf({ env: { KEEPAPART_MAX_REQUEST_BYTES: '1000' } })).toEqual({
      field: 'KEEPAPART_MAX_REQUEST_BYTES',
      expected: 'at least MAX_RECORD_BYTES, which is 64 KiB',
      received: '1000 bytes',
    });
  });

  test('a full request has to fit an empty buffer (G6)', () => {
    expect(problemOf({ env: { KEEPAPART_MAX_BUFFERED_BYTES: '128 KiB' } })).toEqual({
      field: 'KEEPAPART_MAX_BUFFERED_BYTES',
      expected: 'at least MAX_REQUEST_BYTES, which is 1 MiB',
      received: '128 KiB',
    });
  });

  test('a store in Postgres needs to know where Postgres is', () => {
    const { field, received, expected } = problemOf({ env: { KEEPAPART_STORE: 'postgres' } });
    expect([field, received]).toEqual(['KEEPAPART_STORE', '"postgres" (string)']);
    expect(expected).toContain('POSTGRES_URL');
  });

  test('shards that know nothing of one another can not keep records apart while they run (G2)', () => {
    const { field, received, expected } = problemOf({ flags: { conflictScope: 'running', shards: '2' } });
    expect([field, received]).toEqual(['--conflict-scope', '"running" (string)']);
    expect(expected).toContain('each shard knows only its own batches in flight');
  });

  test.each(['0.0.0.0', '::', 'example.org', '128.0.0.1', '127.0.0.1.example.org', '127.0.0.999'])(
    'the host %s without API keys is refused, with the reason and the way out',
    (host) => {
      const { field, expected } = problemOf({ env: { KEEPAPART_HTTP_HOST: host } });
      expect(field).toBe('KEEPAPART_HTTP_HOST');
      expect(expected).toMatch(/loopback .*anyone who can reach the port could send.*set API_KEYS/);
    },
  );

  test('two ports must not be the same; each clash is reported once, where it was written', () => {
    expect(problemOf({ env: { KEEPAPART_HTTP_PORT: '7233' } })).toEqual({
      field: 'KEEPAPART_HTTP_PORT',
      expected: 'a port other than that of TEMPORAL_PORT',
      received: '7233 (number)',
    });
    const flags = { httpPort: 1, tcpPort: 1, temporalPort: 1, uiPort: 2 };
    expect(refusal({ flags }).problems.map((problem) => problem.field)).toEqual([
      '--tcp-port',
      '--temporal-port',
    ]);
  });

  test.each([
    ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    ['TLS_KEY_FILE', 'TLS_CERT_FILE'],
  ])('%s without %s is refused', (given, missing) => {
    expect(problemOf({ env: { [`KEEPAPART_${given}`]: 'a.pem' } })).toEqual({
      field: `KEEPAPART_${given}`,
      expected: `${missing} as well: TLS needs the certificate and its key`,
      received: '"a.pem" (string)',
    });
  });

  const aKey = `2026-11:${Buffer.alloc(32, 1).toString('base64')}`;

  test('keys come from ENCRYPTION_KEYS or from a file, not from both', () => {
    const env = { KEEPAPART_ENCRYPTION_KEYS: aKey, KEEPAPART_ENCRYPTION_KEYS_FILE: 'keys' };
    expect(problemOf({ env })).toMatchObject({
      field: 'KEEPAPART_ENCRYPTION_KEYS_FILE',
      expected: expect.stringContaining('one place'),
    });
  });

  test('routes that decrypt are refused where there is nothing to decrypt with', () => {
    const env = { KEEPAPART_CODEC_ORIGINS: 'http://localhost:8233' };
    expect(problemOf({ env }).field).toBe('KEEPAPART_CODEC_ORIGINS');
    expect(loadConfig({ env: { ...env, KEEPAPART_ENCRYPTION_KEYS: aKey } }).config.codecOrigins).toBe(
      'http://localhost:8233',
    );
  });

  test.each([
    ['no id', aKey.slice(8), '/0', /id:key/],
    ['31 bytes', `a:${Buffer.alloc(31, 1).toString('base64')}`, '/0', /32 random bytes in Base64/],
    ['bits beyond the 32 bytes', `a:${'A'.repeat(42)}B=`, '/0', /32 random bytes in Base64/],
    ['Base64 for URLs', `a:${Buffer.alloc(32, 255).toString('base64url')}=`, '/0', /32 random bytes/],
    [
      'the same id twice',
      `${aKey},2026-11:${Buffer.alloc(32, 2).toString('base64')}`,
      '/1',
      /no earlier key/,
    ],
    ['the same key twice', `${aKey},b:${aKey.slice(8)}`, '/1', /no earlier id/],
  ])('a key with %s is refused, with its place and never the key', (_, keys, place, expected) => {
    const problem = problemOf({ env: { KEEPAPART_ENCRYPTION_KEYS: keys } });
    expect(problem.field).toBe(`KEEPAPART_ENCRYPTION_KEYS${place}`);
    expect(problem.expected).toMatch(expected);
    for (const secret of keys.split(',').map((entry) => entry.slice(-30)))
      expect(JSON.stringify(problem)).not.toContain(secret);
  });

  test('a setting that has a problem by itself is left out', () => {
    const env = { KEEPAPART_HTTP_HOST: '0.0.0.0', KEEPAPART_API_KEYS: 'nonsense' };
    expect(problemOf({ env }).field).toBe('KEEPAPART_API_KEYS/0');
  });
});

test('All problems of all sources come at once, each on a line of the message.', () => {
  const error = refusal({
    file: fileOf({ SHARDS: 0, HTTP_PORT: 'x', NOTHING: 1 }),
    env: { KEEPAPART_HTTP_PORT: '3001', KEEPAPART_MAX_BATCH_SIZ: '5' },
    flags: { logLevel: 'loud', uiPort: 3001 },
  });
  expect(error.code).toBe('invalid-config');
  expect(error.message).toBe(
    [
      'The configuration has 6 problems:',
      '  SHARDS in keepapart.config.json: expected an integer from 1 to 64; received 0 (number)',
      '  HTTP_PORT in keepapart.config.json: expected an integer from 0 to 65535; received "x" (string)',
      '  NOTHING in keepapart.config.json: expected the name of a setting; received an unknown name',
      '  KEEPAPART_MAX_BATCH_SIZ: expected the name of a setting; ' +
        'received an unknown name; did you mean KEEPAPART_MAX_BATCH_SIZE?',
      '  --log-level: expected one of trace, debug, info, warn, error, fatal, silent; received "loud" (string)',
      '  --ui-port: expected a port other than that of HTTP_PORT; received 3001 (number)',
    ].join('\n'),
  );
});

describe('secrets', () => {
  const secret = 'correct-horse-battery';

  test.each<[string, Partial<ConfigInput>]>([
    ['a key instead of its hash', { env: { KEEPAPART_API_KEYS: secret } }],
    ['a key behind a name', { env: { KEEPAPART_API_KEYS: `shop:${secret}` } }],
    ['a key as the name', { env: { KEEPAPART_API_KEYS: `${secret}:${HASH.toUpperCase()}` } }],
    ['a key among the flags', { flags: { apiKeys: `ok:${HASH},${secret}` } }],
    ['the same name twice', { env: { KEEPAPART_API_KEYS: `${secret}:${HASH},${secret}:${HASH}` } }],
    ['a key where rights belong', { env: { KEEPAPART_API_KEYS: `shop:${HASH}:${secret}` } }],
    ['a key in an array of the file', { file: fileOf({ API_KEYS: [secret] }) }],
    ['an object in the file', { file: fileOf({ API_KEYS: { shop: secret } }) }],
    ['a key under a misspelt name', { env: { KEEPAPART_API_KEY: secret } }],
    ['a file that is not JSON', { file: { path: 'f', text: `{"API_KEYS":"${secret}" nonsense}` } }],
    ['a file that is no object', { file: { path: 'f', text: JSON.stringify([secret]) } }],
  ])('%s is refused without repeating it', (_, input) => {
    const error = refusal(input);
    expect(error.cause).toBeUndefined();
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.problems)}`).not.toContain(secret);
  });

  test.each([':', ':write', ':read+', ':read+read', ':READ', ':read,ingest', ':read:ingest', ':read ingest'])(
    'rights have to be some of the three, each once: not %j',
    (written) => {
      expect(problemOf({ env: { KEEPAPART_API_KEYS: `a:${HASH}${written}` } })).toMatchObject({
        field: expect.stringMatching(/^KEEPAPART_API_KEYS\/[01]$/),
        expected: expect.stringContaining('the rights some of ingest, read, operate, joined by +'),
      });
    },
  );

  test('each invalid entry of the API keys is reported with its index', () => {
    const env = { KEEPAPART_API_KEYS: `a:${HASH},b:${'A'.repeat(64)},a:${HASH},${'n'.repeat(33)}:${HASH}` };
    expect(refusal({ env }).problems.map((problem) => problem.field)).toEqual([
      'KEEPAPART_API_KEYS/1',
      'KEEPAPART_API_KEYS/2',
      'KEEPAPART_API_KEYS/3',
    ]);
  });
});
