import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { settingName, type Config } from '../../config';
import { KeepapartError } from '../../domain/errors';
import { readAgain, type ReadingAgain } from '../../embed/read-again';
import type { TlsPair } from '../../http/listen';

type TlsFiles = Pick<Config, 'tlsCertFile' | 'tlsKeyFile'>;

interface WatchOptions extends ReadingAgain {
  logger: Logger;
  onRenewed: (pair: TlsPair) => void;
}

/**
 * The certificate and key that the settings name, known to be of use; `undefined` when none are named.
 * @throws `invalid-config` that names the setting, and never says what is in a file
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsPair | undefined> {
  if (files.tlsCertFile === '') return undefined;
  const pair = { cert: await read(files, 'tlsCertFile'), key: await read(files, 'tlsKeyFile') };
  check(pair, files);
  return pair;
}

/**
 * Reads the files again and again, and hands over what is new in them. What can't be used is logged, once, and the
 * certificate before stays in force.
 */
export function watchTlsFiles(
  files: TlsFiles,
  first: TlsPair,
  { logger, onRenewed, ...again }: WatchOptions,
): void {
  let inForce = first;
  tellValidity(first, logger);

  const look = async (): Promise<void> => {
    const found = await readTlsFiles(files);
    if (found === undefined || (found.cert === inForce.cert && found.key === inForce.key)) return;
    onRenewed(found);
    inForce = found;
    tellValidity(found, logger);
  };
  const onProblem = (reason: string): void =>
    logger.error({ reason }, 'the HTTP API keeps its certificate, because the new one cannot be used');
  readAgain(look, onProblem, again);
}

async function read(files: TlsFiles, setting: keyof TlsFiles): Promise<string> {
  try {
    return await readFile(files[setting], 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw refused(files, setting, `can't be read (${code})`, cause);
  }
}

/** OpenSSL says of a wrong file what is wrong with it, without quoting it; which of the two it was it doesn't say. */
function check({ cert, key }: TlsPair, files: TlsFiles): void {
  let leaf: X509Certificate;
  let privateKey: KeyObject;
  try {
    leaf = new X509Certificate(cert);
  } catch (cause) {
    throw refused(files, 'tlsCertFile', 'holds no certificate in PEM', cause);
  }
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    throw refused(files, 'tlsKeyFile', 'holds no private key in PEM, or one with a passphrase', cause);
  }
  if (!leaf.checkPrivateKey(privateKey))
    throw refused(files, 'tlsKeyFile', `is not the key of the first certificate in ${files.tlsCertFile}`);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw refused(files, 'tlsCertFile', `can't be used: ${String(cause)}`, cause);
  }
}

function refused(files: TlsFiles, setting: keyof TlsFiles, problem: string, cause?: unknown): KeepapartError {
  const detail = `${settingName(setting)}: ${files[setting]} ${problem}.`;
  return new KeepapartError('invalid-config', detail, cause === undefined ? {} : { cause });
}

/** One that is out of date is used all the same: it was told to, and clients say so themselves. */
function tellValidity({ cert }: TlsPair, logger: Logger): void {
  const { validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) < Date.now()) logger.warn({ validTo }, "the HTTP API's certificate is out of date");
  else logger.info({ validTo }, 'the HTTP API has this certificate');
}
