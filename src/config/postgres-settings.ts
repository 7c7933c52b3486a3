import { MINUTE, SECOND } from '../domain/duration';
import { JSON_POINTER } from '../domain/json-pointer';
import { integer, text } from './parse';
import { postgresUrl, showPostgresUrl } from './postgres-url';
import { setting } from './setting';

const WITH_POSTGRES = 'Only used with STORE=postgres';

/** The settings of the store in Postgres. */
export const POSTGRES_SETTINGS = {
  postgresUrl: setting({
    parser: postgresUrl(),
    default: '',
    about: 'Address of the database, with user and password.',
    related:
      'Required with STORE=postgres. Set it in the environment rather than as a flag, which everyone on the machine can see.',
    show: showPostgresUrl,
  }),
  postgresSchema: setting({
    parser: text(
      '1 to 48 lower-case letters, digits and underscores, the first a letter',
      /^[a-z][a-z0-9_]{0,47}$/,
    ),
    default: 'keepapart',
    about: "Schema of keepapart's own tables, which are created if they don't exist.",
    related: `One for each installation. ${WITH_POSTGRES}.`,
  }),
  postgresStatement: setting({
    parser: text(
      "nothing, or one SQL statement that takes a batch's records in $1",
      /^(?:[^]*\$1(?!\d)[^]*)?$/,
    ),
    default: '',
    about:
      'SQL statement that writes a batch, which it gets as a JSON array in $1; empty for an upsert into the table records in POSTGRES_SCHEMA.',
    related: `See "Records in Postgres" below. ${WITH_POSTGRES}.`,
  }),
  postgresKey: setting({
    parser: text('a JSON Pointer: "" for the whole record, or "/sku" and the like', JSON_POINTER),
    default: '',
    about:
      'The part of a record that identifies its row. CONFLICTS needs a rule that keeps two records with the same row out of one batch.',
    related: `Use the same pointer in a rule {"distinct":POSTGRES_KEY}. ${WITH_POSTGRES}.`,
  }),
  postgresPoolSize: setting({
    parser: integer(1, 100),
    default: 10,
    unit: 'connections',
    about: 'Maximum connections of one worker to Postgres.',
    related: `All workers together must stay below the server's max_connections. ${WITH_POSTGRES}.`,
    raising:
      'Raising it uses memory and locks in Postgres. More than two or three per core of the server are no faster.',
  }),
  postgresTimeoutMs: setting({
    parser: integer(100, 1 * MINUTE),
    default: 30 * SECOND,
    unit: 'ms',
    about:
      'Maximum time for one statement, for a lock, and for an unavailable server to return within an attempt.',
    related: WITH_POSTGRES + '.',
    raising: 'Raising it lets a frozen worker delay its batches longer.',
  }),
};
