import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { settingName, type Config } from '../../config';
import { SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import type { TlsPair } from '../../http/listen';

type TlsFiles = Pick<Config, 'tlsCertFile' | 'tlsKeyFile'>;

interface WatchOptions {
  logger: Logger;
  onRenewed: (pair: TlsPair) => void;
  /** Ends it. */
  signal: AbortSignal;
  /** Ten seconds by default. */
  everyMs?: number;
}

/** How long a renewed certificate may wait. Reading two small files is nothing. */
const LOOK_EVERY_MS = 10 * SECOND;

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
 * Looks at the files again and again, and hands over what is new in them. What is of no use is logged, once, and the
 * certificate before stays in force. Contents are compared, rather than waiting for a signal or for the system's events:
 * those miss folders that are swapped whole, network file systems and what happens outside of a container, while a pair
 * that was read half-written is simply read again.
 */
export function watchTlsFiles(
  files: TlsFiles,
  first: TlsPair,
  { logger, onRenewed, signal, everyMs = LOOK_EVERY_MS }: WatchOptions,
): void {
  let inForce = first;
  let complaint: string | undefined;
  tellValidity(first, logger);

  const look = async (): Promise<void> => {
    try {
      const found = await readTlsFiles(files);
      complaint = undefined;
      if (found === undefined || (found.cert === inForce.cert && found.key === inForce.key)) return;
      onRenewed(found);
      inForce = found;
      tellValidity(found, logger);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== complaint)
        logger.error({ reason }, 'no new certificate for the HTTP API: the one before stays in force');
      complaint = reason;
    }
  };
  const looking = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { ref: false, signal });
      await look();
    }
  };
  // Nothing but the end of it can make this fail.
  looking().catch(() => undefined);
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
