import { readFile } from 'node:fs/promises';
import { encryptionKeys, settingName, type Config, type EncryptionKey } from '../config';
import type { Log } from '../contracts/log';
import { KeepapartError } from '../domain/errors';
import { KeyRing } from '../temporal/codec/key-ring';
import { readAgain, type ReadingAgain } from './read-again';

type Settings = Pick<Config, 'encryptionKeys' | 'encryptionKeysFile'>;

interface WatchOptions extends ReadingAgain {
  logger: Log;
}

/**
 * The keys that the settings name; undefined for none, which is no encryption.
 * @throws `invalid-config` if the file can't be read or holds anything else than keys; never says what is in it
 */
export async function readKeyRing(settings: Settings): Promise<KeyRing | undefined> {
  const keys = await readKeys(settings);
  return keys.length > 0 ? new KeyRing(keys) : undefined;
}

/**
 * The same, and reads the file of keys again and again, as for a certificate: what is new in it is in force at once. What
 * can't be used is logged, once, and the keys before stay in force.
 */
export async function openKeyRing(settings: Settings, options: WatchOptions): Promise<KeyRing | undefined> {
  const ring = await readKeyRing(settings);
  if (ring === undefined) return undefined;
  const { logger } = options;
  logger.info({ keys: ring.ids }, 'payloads are encrypted, with the first of these keys');
  if (settings.encryptionKeysFile === '') return ring;
  const read = async (): Promise<void> => {
    const before = ring.ids.join();
    ring.replace(await readKeys(settings));
    if (ring.ids.join() !== before)
      logger.info({ keys: ring.ids }, 'encryption keys were read again: the first of these encrypts');
  };
  const onProblem = (reason: string): void =>
    logger.error({ reason }, 'no new encryption keys: those from before stay in force');
  readAgain(read, onProblem, options);
  return ring;
}

async function readKeys({ encryptionKeys: keys, encryptionKeysFile: file }: Settings) {
  return file === '' ? keys : keysIn(file, await textOf(file));
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw refused(file, `can't be read (${code})`, cause);
  }
}

function keysIn(file: string, text: string): readonly EncryptionKey[] {
  const parser = encryptionKeys();
  const parsed = parser.parse(text);
  if ('value' in parsed && parsed.value.length > 0) return parsed.value;
  const [problem] = 'problems' in parsed ? parsed.problems : [];
  throw problem === undefined
    ? refused(file, `holds no key: expected ${parser.expected}`)
    : refused(file, `${problem.field}: expected ${problem.expected}; received ${problem.received}`);
}

function refused(file: string, problem: string, cause?: unknown): KeepapartError {
  const detail = `${settingName('encryptionKeysFile')}: ${file} ${problem}.`;
  return new KeepapartError('invalid-config', detail, cause === undefined ? {} : { cause });
}
