import {
  loadConfig,
  SETTING_KEYS,
  SETTINGS,
  settingName,
  type ConfigInput,
  type LoadedConfig,
  type Setting,
  type SettingKey,
} from '../../src/config';

/** A file with these settings, as the command line would hand it over. */
function fileOf(settings: unknown): { path: string; text: string } {
  return { path: 'keepapart.config.json', text: JSON.stringify(settings) };
}

function load(input: Partial<ConfigInput> = {}): LoadedConfig {
  return loadConfig({ env: {}, ...input });
}

test('Without any input every setting has its default, and its source says so.', () => {
  const { config, sources } = load();
  expect(config).toEqual({
    httpHost: '127.0.0.1',
    httpPort: 3000,
    apiKeys: [],
    allowedHosts: '',
    rateLimitPerSecond: 0,
    tlsCertFile: '',
    tlsKeyFile: '',
    encryptionKeys: [],
    encryptionKeysFile: '',
    codecOrigins: '',
    tcpPort: 9999,
    temporalPort: 7233,
    traceSlowMs: 10_000,
    uiPort: 8233,
    dataDir: './data',
    outDir: './data/out',
    fileAccess: 'owner',
    store: 'file',
    storeOptions: {},
    storeTimeoutMs: 30_000,
    storeCalls: 16,
    storeUrl: '',
    storeSecrets: [],
    storePrivateAddresses: 'refuse',
    postgresUrl: '',
    postgresSchema: 'keepapart',
    postgresStatement: '',
    postgresKey: '',
    postgresPoolSize: 10,
    postgresTimeoutMs: 30_000,
    s3Bucket: '',
    s3Prefix: 'keepapart',
    s3Region: '',
    s3Endpoint: '',
    s3PathStyle: 'auto',
    s3Compression: 'none',
    taskQueue: 'keepapart',
    batcherId: 'batcher',
    buildId: '',
    deployment: 'keepapart',
    shards: 1,
    maxBatchSize: 5,
    conflicts: [{ pair: [1, 2] }],
    conflictScope: 'file',
    apartMs: 0,
    flushIntervalMs: 1000,
    batchSpacingMs: 0,
    maxSavesPerSecond: 0,
    maxInFlight: 2000,
    maxAttempts: 3,
    onFailure: 'keep',
    retryIntervalMs: 1000,
    saveActivity: 'auto',
    saveFailureRate: 0,
    maxBufferedRecords: 10_000,
    maxBufferedBytes: 1_048_576,
    idempotencyWindowMs: 86_400_000,
    idempotencyWindowKeys: 4000,
    maxRecordBytes: 65_536,
    maxRequestBytes: 1_048_576,
    outcomeFormat: 'text',
    logLevel: 'info',
    metricsPort: 0,
    metricsHost: '127.0.0.1',
    stackTraces: 'off',
  });
  expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
});

test('Every default is accepted by its own parser, so that nobody is refused what they could leave out.', () => {
  for (const key of SETTING_KEYS) {
    if (key === 'apiKeys' || key === 'encryptionKeys') continue;
    const { parser, default: value } = SETTINGS[key];
    expect(parser.parse(value)).toEqual({ value });
    expect(parser.parse(typeof value === 'object' ? JSON.stringify(value) : String(value))).toEqual({
      value,
    });
  }
});

describe('a default that depends on another setting', () => {
  const record = { KEEPAPART_SAVE_ACTIVITY: 'record' };

  test('is in force where that setting has the value, whichever source it is from, and still counts as a default', () => {
    for (const input of [
      { env: record },
      { file: fileOf({ SAVE_ACTIVITY: 'record' }) },
      { flags: { saveActivity: 'record' } },
    ]) {
      const { config, sources } = load(input);
      expect([config.maxInFlight, sources.maxInFlight]).toEqual([50, 'default']);
    }
  });

  test('follows the source that wins', () => {
    const { config } = load({ env: record, flags: { saveActivity: 'batch' } });
    expect(config.maxInFlight).toBe(2000);
  });

  test('takes the place of no value that was written, not even of one that is the usual default', () => {
    for (const written of [2000, 7]) {
      const { config, sources } = load({ env: { ...record, KEEPAPART_MAX_IN_FLIGHT: String(written) } });
      expect([config.maxInFlight, sources.maxInFlight]).toEqual([written, 'environment']);
    }
  });

  test('names a setting that there is, with a value and a default that are accepted', () => {
    for (const key of SETTING_KEYS) {
      const { parser, defaultIf } = SETTINGS[key] as Setting<unknown>;
      if (defaultIf === undefined) continue;
      expect(SETTING_KEYS).toContain(defaultIf.key);
      const other = SETTINGS[defaultIf.key as SettingKey] as Setting<unknown>;
      expect(other.parser.parse(defaultIf.is)).toEqual({ value: defaultIf.is });
      expect(parser.parse(defaultIf.default)).toEqual({ value: defaultIf.default });
    }
  });
});

describe('precedence', () => {
  const file = fileOf({ HTTP_PORT: 1001, UI_PORT: 1002, SHARDS: 2 });
  const env = { KEEPAPART_HTTP_PORT: '2001', KEEPAPART_UI_PORT: '2002' };
  const flags = { httpPort: '3001' };

  test('flags go over the environment, the environment over the file, the file over defaults', () => {
    const { config, sources } = load({ file, env, flags });
    expect(config).toMatchObject({ httpPort: 3001, uiPort: 2002, shards: 2, maxInFlight: 2000 });
    expect(sources).toMatchObject({
      httpPort: 'flag',
      uiPort: 'environment',
      shards: 'file',
      maxInFlight: 'default',
    });
  });

  test('a flag that was not given and an empty variable leave the weaker source in force', () => {
    const { config, sources } = load({
      file,
      env: { KEEPAPART_HTTP_PORT: '', KEEPAPART_API_KEYS: undefined },
      flags: { httpPort: undefined },
    });
    expect(config).toMatchObject({ httpPort: 1001, apiKeys: [] });
    expect(sources).toMatchObject({ httpPort: 'file', apiKeys: 'default' });
  });

  test('flags may be keyed as they are written', () => {
    expect(load({ flags: { 'max-batch-size': 7 } }).config.maxBatchSize).toBe(7);
  });
});

describe('what may be written', () => {
  test.each([
    ['65536', 65_536],
    [65_536, 65_536],
    ['64 KiB', 65_536],
    ['64kib', 65_536],
    ['1MiB', 1_048_576],
  ])('the size %j is %d bytes', (written, size) => {
    expect(load({ flags: { maxRecordBytes: written } }).config.maxRecordBytes).toBe(size);
  });

  test('a share may be written as a number or as text', () => {
    expect(load({ flags: { saveFailureRate: '0.25' } }).config.saveFailureRate).toBe(0.25);
    expect(load({ file: fileOf({ SAVE_FAILURE_RATE: 1 }) }).config.saveFailureRate).toBe(1);
  });

  test('conflict rules may be text anywhere, and a JSON value in the file', () => {
    const rules = [{ distinct: '/customerId' }];
    const text = JSON.stringify(rules);
    expect(load({ env: { KEEPAPART_CONFLICTS: text } }).config.conflicts).toEqual(rules);
    expect(load({ flags: { conflicts: text } }).config.conflicts).toEqual(rules);
    expect(load({ file: fileOf({ CONFLICTS: text }) }).config.conflicts).toEqual(rules);
    expect(load({ file: fileOf({ CONFLICTS: rules }) }).config.conflicts).toEqual(rules);
    expect(load({ env: { KEEPAPART_CONFLICTS: '[]' } }).config.conflicts).toEqual([]);
  });

  test('API keys are a comma-separated text, or an array in the file', () => {
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    const rights = ['ingest', 'read', 'operate'];
    const expected = [
      { name: 'shop', sha256: a, rights },
      { name: 'ops-2', sha256: b, rights },
    ];
    expect(load({ env: { KEEPAPART_API_KEYS: `shop:${a}, ops-2:${b}` } }).config.apiKeys).toEqual(expected);
    expect(load({ file: fileOf({ API_KEYS: [`shop:${a}`, `ops-2:${b}`] }) }).config.apiKeys).toEqual(
      expected,
    );
  });

  test.each([
    ['', ['ingest', 'read', 'operate']],
    [':ingest', ['ingest']],
    [':read+ingest', ['ingest', 'read']],
    [':operate+read+ingest', ['ingest', 'read', 'operate']],
  ])('an API key that is written with %j behind its hash may %j', (written, rights) => {
    const entry = `shop:${'a'.repeat(64)}${written}`;
    const expected = [{ name: 'shop', sha256: 'a'.repeat(64), rights }];
    expect(load({ env: { KEEPAPART_API_KEYS: entry } }).config.apiKeys).toEqual(expected);
    expect(load({ file: fileOf({ API_KEYS: [entry] }) }).config.apiKeys).toEqual(expected);
  });

  test.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost', 'LOCALHOST'])(
    'the host %s is loopback and needs no API keys',
    (httpHost) => {
      expect(load({ flags: { httpHost } }).config.httpHost).toBe(httpHost);
    },
  );

  test('another host is accepted with API keys', () => {
    const env = { KEEPAPART_HTTP_HOST: '0.0.0.0', KEEPAPART_API_KEYS: `shop:${'a'.repeat(64)}` };
    expect(load({ env }).config.httpHost).toBe('0.0.0.0');
  });

  test('several ports may be 0, which picks a free one for each', () => {
    const flags = { httpPort: 0, temporalPort: 0, uiPort: 0, tcpPort: 0 };
    expect(load({ flags }).config).toMatchObject(flags);
  });

  test('the path of the file, what tests tell each other and foreign variables are nobody’s setting', () => {
    const env = {
      KEEPAPART_CONFIG: '/etc/keepapart.config.json',
      KEEPAPART_TEST_ADDRESS: 'localhost:1',
      TEMPORAL_ADDRESS: 'localhost:7233',
      PATH: '/bin',
    };
    expect(load({ env, flags: { config: 'x.json' } })).toEqual(load());
  });
});

test('The configuration is frozen to its leaves.', () => {
  const loaded = load({ file: fileOf({ CONFLICTS: [{ group: [{ id: 1 }, { id: 2 }] }] }) });
  const unfrozen: unknown[] = [];
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) unfrozen.push(value);
    Object.values(value).forEach(look);
  };
  look(loaded);
  look(load());
  expect(unfrozen).toEqual([]);
});

test('Names are made from the keys in one way only.', () => {
  expect(settingName('maxBufferedBytes')).toBe('MAX_BUFFERED_BYTES');
  expect(new Set(SETTING_KEYS.map(settingName)).size).toBe(SETTING_KEYS.length);
});
