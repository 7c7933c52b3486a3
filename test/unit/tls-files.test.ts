import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { readTlsFiles, watchTlsFiles } from '../../src/cli/process/tls-files';
import type { TlsPair } from '../../src/http/listen';
import { selfSigned } from '../helpers/certificates';
import { waitFor } from '../helpers/wait-for';

let folder: string;
let files: { tlsCertFile: string; tlsKeyFile: string };
let pairs: TlsPair[];

beforeAll(async () => {
  pairs = await Promise.all(['first', 'second', 'third'].map((name) => selfSigned(`${name}.example`)));
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keepapart-tls-'));
  files = { tlsCertFile: path.join(folder, 'cert.pem'), tlsKeyFile: path.join(folder, 'key.pem') };
  await write(pairs[0]!);
});
afterEach(() => rm(folder, { recursive: true }));

/** Each file at once, so that nobody reads a half of it but in the test that is about that. */
async function write({ cert, key }: Partial<TlsPair>): Promise<void> {
  for (const [file, content] of [
    [files.tlsCertFile, cert],
    [files.tlsKeyFile, key],
  ] as const) {
    if (content === undefined) continue;
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  }
}

test('Without files there is no TLS.', async () => {
  expect(await readTlsFiles({ tlsCertFile: '', tlsKeyFile: '' })).toBeUndefined();
});

test('A certificate with its key is taken, also with others behind it.', async () => {
  const [first, second] = pairs as [TlsPair, TlsPair];
  await write({ cert: first.cert + second.cert });
  expect(await readTlsFiles(files)).toEqual({ cert: first.cert + second.cert, key: first.key });
});

test.each<[string, (first: TlsPair, second: TlsPair) => Partial<TlsPair>, RegExp]>([
  [
    'a text that is no certificate',
    () => ({ cert: 'secret' }),
    /^TLS_CERT_FILE: \S+cert\.pem holds no certificate/,
  ],
  ['an empty certificate', () => ({ cert: '' }), /^TLS_CERT_FILE: \S+ holds no certificate/],
  ['a key as the certificate', ({ key }) => ({ cert: key }), /^TLS_CERT_FILE: \S+ holds no certificate/],
  ['a text that is no key', () => ({ key: 'secret' }), /^TLS_KEY_FILE: \S+key\.pem holds no private key/],
  ['a certificate as the key', ({ cert }) => ({ key: cert }), /^TLS_KEY_FILE: \S+ holds no private key/],
  ['half a key', ({ key }) => ({ key: key.slice(0, 80) }), /^TLS_KEY_FILE: \S+ holds no private key/],
  [
    'the key of another certificate',
    (_, { key }) => ({ key }),
    /^TLS_KEY_FILE: \S+ is not the key of the first/,
  ],
  [
    'the chain the wrong way round',
    (first, second) => ({ cert: second.cert + first.cert }),
    /^TLS_KEY_FILE: \S+ is not the key of the first/,
  ],
  [
    'a chain that is broken further down',
    ({ cert }) => ({ cert: `${cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` }),
    /^TLS_CERT_FILE: \S+ can't be used/,
  ],
])(
  '%s is refused: the setting is named, and nothing of the file is shown.',
  async (_title, change, message) => {
    const wrong = change(pairs[0]!, pairs[1]!);
    await write(wrong);
    const refusal = await readTlsFiles(files).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(refusal).toMatchObject({ code: 'invalid-config', message: expect.stringMatching(message) });
    expect(String(refusal?.message)).not.toMatch(/secret|BEGIN|MII/);
  },
);

test.each(['tlsCertFile', 'tlsKeyFile'] as const)(
  'A %s that is not there is refused by its name.',
  async (file) => {
    await rm(files[file]);
    const name = { tlsCertFile: 'TLS_CERT_FILE', tlsKeyFile: 'TLS_KEY_FILE' }[file];
    await expect(readTlsFiles(files)).rejects.toMatchObject({
      code: 'invalid-config',
      message: `${name}: ${files[file]} can't be read (ENOENT).`,
    });
  },
);

describe('Files that change', () => {
  let watch: AbortController;
  let renewed: TlsPair[];
  let logs: { level: number; msg: string; reason?: string }[];

  beforeEach(() => {
    [watch, renewed, logs] = [new AbortController(), [], []];
    const logger = pino(
      {},
      { write: (line: string) => void logs.push(JSON.parse(line) as (typeof logs)[0]) },
    );
    const onRenewed = (pair: TlsPair) => void renewed.push(pair);
    watchTlsFiles(files, pairs[0]!, { logger, onRenewed, signal: watch.signal, everyMs: 5 });
  });
  afterEach(() => watch.abort());

  const errors = () => logs.filter(({ level }) => level >= 50);
  const renewals = (count: number) => waitFor(`renewal ${count}`, () => renewed.length === count);

  test('are taken over, one pair after the other, and the log says how long they are valid.', async () => {
    for (const [index, pair] of pairs.slice(1).entries()) {
      await write(pair);
      await renewals(index + 1);
    }
    expect(renewed).toEqual(pairs.slice(1));
    expect(logs.filter(({ msg }) => msg === 'the HTTP API has this certificate')).toHaveLength(3);
  });

  test('are not taken over while they are of no use, which is told once; the next good ones are.', async () => {
    const [first, second, third] = pairs as [TlsPair, TlsPair, TlsPair];
    await write({ cert: second.cert });
    await waitFor('the complaint', () => errors().length === 1);
    expect(errors()[0]?.reason).toMatch(/^TLS_KEY_FILE: .* is not the key/);
    await rm(files.tlsKeyFile);
    await waitFor('another complaint', () => errors().length === 2);
    // One file at a time: two that change are seen in between, or not.
    await write({ key: third.key });
    await waitFor('a third complaint', () => errors().length === 3);
    await write({ cert: third.cert.slice(0, 100) });
    await waitFor('a fourth complaint', () => errors().length === 4);
    expect(renewed).toEqual([]);
    await write(third);
    await renewals(1);
    expect([renewed, errors().length]).toEqual([[third], 4]);
    await write(first);
    await renewals(2);
  });

  test('may be swapped with their whole folder behind a link.', async () => {
    const [releases, link] = [path.join(folder, 'releases'), path.join(folder, 'current')];
    const publish = async (name: string, { cert, key }: TlsPair) => {
      await mkdir(path.join(releases, name), { recursive: true });
      await writeFile(path.join(releases, name, 'cert.pem'), cert);
      await writeFile(path.join(releases, name, 'key.pem'), key);
      await symlink(path.join(releases, name), `${link}.new`);
      await rename(`${link}.new`, link);
    };
    await publish('1', pairs[0]!);
    const linked = { tlsCertFile: path.join(link, 'cert.pem'), tlsKeyFile: path.join(link, 'key.pem') };
    const onRenewed = (pair: TlsPair) => void renewed.push(pair);
    const logger = pino({ level: 'silent' });
    watchTlsFiles(linked, pairs[0]!, { logger, onRenewed, signal: watch.signal, everyMs: 5 });
    await publish('2', pairs[1]!);
    await renewals(1);
    expect(renewed).toEqual([pairs[1]]);
  });
});
