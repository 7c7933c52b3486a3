import { appendFile, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { openImport, type ImportFile } from '../../src/cli/commands/import/import-file';
import { MIB } from '../../src/domain/duration';

let folder: string;
let name: string;
let file: ImportFile | undefined;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keepapart-import-'));
  name = path.join(folder, 'a.ndjson');
});
afterEach(async () => {
  await file?.close();
  await rm(folder, { recursive: true, force: true });
});

async function opened(content: string | Buffer): Promise<ImportFile> {
  await writeFile(name, content);
  return (file = await openImport(name, Readable.from([])));
}

/** What a reading gives, and the code of the error that ended it. */
async function reading(chunks: AsyncIterable<Uint8Array> | undefined) {
  const read: Uint8Array[] = [];
  try {
    for await (const chunk of chunks ?? []) read.push(chunk);
    return { text: Buffer.concat(read).toString('latin1'), code: undefined };
  } catch (error) {
    return { text: Buffer.concat(read).toString('latin1'), code: (error as { code?: unknown }).code };
  }
}

test('A file is read from its start each time, as long as it was when it was opened.', async () => {
  const content = Buffer.alloc(2.5 * MIB, 'abc\n').toString();
  const { note, read, position, size } = await opened(content);
  expect([position(), size]).toEqual([0, content.length]);
  await appendFile(name, 'appended\n');
  for (const chunks of [note!(), read(), read()]) expect((await reading(chunks)).text === content).toBe(true);
  expect(position()).toBe(content.length);
});

test('Nothing is given of a block that was changed after it was noted, and everything before it.', async () => {
  const content = Buffer.alloc(3 * MIB, 'abc\n');
  const { note, read } = await opened(content);
  await reading(note!());
  const other = await open(name, 'r+');
  await other.write('X', 2 * MIB + 5);
  await other.close();
  const { text, code } = await reading(read());
  expect([text.length, code]).toEqual([2 * MIB, 'import-changed']);
});

test('A change while the file is noted is noticed in what was read before it.', async () => {
  const { note } = await opened(Buffer.alloc(3 * MIB, 'abc\n'));
  let changed = false;
  const noting = async function* () {
    for await (const chunk of note!()) {
      yield chunk;
      if (changed) continue;
      changed = true;
      const other = await open(name, 'r+');
      await other.write('X', 5);
      await other.close();
    }
  };
  expect((await reading(noting())).code).toBe('import-changed');
});

test('Lines that are appended all the time change nothing.', async () => {
  const content = Buffer.alloc(3 * MIB, 'abc\n').toString();
  const { note, read } = await opened(content);
  const appending = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      await appendFile(name, 'more\n');
      yield chunk;
    }
  };
  for (const chunks of [note!(), read()])
    expect(await reading(appending(chunks))).toEqual({ text: content, code: undefined });
});

test.each([
  [0, ''],
  [1.5 * MIB, ''],
])('a file that is cut off to %d bytes is not taken for whole', async (length) => {
  const { note, read } = await opened(Buffer.alloc(2 * MIB, 'abc\n'));
  await reading(note!());
  await truncate(name, length);
  expect((await reading(read())).code).toBe('import-changed');
  expect((await reading(note!())).code).toBe('import-changed');
});

test.each([
  ['1\n2', '3\n', 'import-changed'],
  ['1\n2', '\n3\n', undefined],
  ['1\r\n2', '\r\n3', undefined],
  ['1\n2\n', '3\n', undefined],
  ['1\n2', '', undefined],
])('%j, to which %j is appended, is whole or refused', async (content, more, code) => {
  const { note } = await opened(content);
  await appendFile(name, more);
  expect(await reading(note!())).toEqual({ text: code === undefined ? content : '', code });
});

test('Standard input can be read only once.', async () => {
  const { note, read, size } = await openImport('-', Readable.from([Buffer.from('1\n')]));
  expect([note, size]).toEqual([undefined, undefined]);
  expect((await reading(read())).text).toBe('1\n');
});
