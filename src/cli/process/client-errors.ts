import { KeepapartApiError, KeepapartUnreachableError } from '../../client';
import { API_KEY_VARIABLE } from './read-config';
import { plain } from '../terminal/text';

const FIND_IT = 'start it, or pass its address with --url';
const TRUST_IT = 'tell by NODE_EXTRA_CA_CERTS which file to trust, or by --url the name that it is for';

/** Errors of a call to the API. */
export type ClientError = KeepapartApiError | KeepapartUnreachableError;

export function isClientError(error: unknown): error is ClientError {
  return error instanceof KeepapartApiError || error instanceof KeepapartUnreachableError;
}

/**
 * One of them for a person, with what to do where the command knows it, and its code. What the API quotes may be anything:
 * nothing in it moves the terminal.
 */
export function tellClientError(error: ClientError): string {
  return `${textOf(error).split('\n').map(plain).join('\n')} [${error.code}]`;
}

function textOf(error: ClientError): string {
  if (error instanceof KeepapartUnreachableError)
    return `${error.message}: ${error.untrusted ? TRUST_IT : FIND_IT}.`;
  if (error.code !== 'unauthorized') return error.message;
  const isSet = (process.env[API_KEY_VARIABLE] ?? '') !== '';
  return `The API needs a key: ${isSet ? `the one in ${API_KEY_VARIABLE} is not in force` : `set ${API_KEY_VARIABLE}`}.`;
}
