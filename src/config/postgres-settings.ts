import { MINUTE, SECOND } from '../domain/duration';
import { JSON_POINTER } from '../domain/json-pointer';
import { integer, text } from './parse';
import { postgresUrl, showPostgresUrl } from './postgres-url';
import { setting } from './setting';

const WITH_POSTGRES = 'No effect but with STORE=postgres';

/** All about the store in Postgres. */
export const POSTGRES_SETTINGS = {
  postgresUrl: setting({
    parser: postgresUrl(),
    default: '',
    about: 'Address of the database, with user and password.',
    related:
      'Needed with STORE=postgres. Rather in the environment than as a flag, which everybody on the machine can see.',
    show: showPostgresUrl,
  }),
  postgresSchema: setting({
    parser: text(
      '1 to 48 lower-case letters, digits and underscores, the first a letter',
      /^[a-z][a-z0-9_]{0,47}$/,
    ),
    default: 'keepapart',
    about: "Schema of keepapart's own tables, which are created when they are not there.",
    related: `One for each installation. ${WITH_POSTGRES}.`,
  }),
  postgresStatement: setting({
    parser: text(
      "nothing, or one SQL statement that takes a batch's records in $1",
      /^(?:[^]*\$1(?!\d)[^]*)?$/,
    ),
    default: '',
    about:
      'What writes a batch, as a JSON array in $1; empty for an upsert into the table records of POSTGRES_SCHEMA.',
    related: `See "Records in Postgres" below. ${WITH_POSTGRES}.`,
  }),
  postgresKey: setting({
    parser: text('a JSON Pointer: "" for the whole record, or "/sku" and the like', JSON_POINTER),
    default: '',
    about:
      'What makes two records the same row; two of them in one batch need a rule of CONFLICTS between them.',
    related: `Keep it the same as a rule {"distinct":POSTGRES_KEY}. ${WITH_POSTGRES}.`,
  }),
  postgresPoolSize: setting({
    parser: integer(1, 100),
    default: 10,
    unit: 'connections',
    about: 'Most connections of one worker to Postgres at once.',
    related: `All workers together must stay below max_connections of the server. ${WITH_POSTGRES}.`,
    raising:
      'Raising it takes memory and locks in Postgres; past two or three for each of its cores it is no faster.',
  }),
  postgresTimeoutMs: setting({
    parser: integer(100, 1 * MINUTE),
    default: 30 * SECOND,
    unit: 'ms',
    about:
      'Longest time for one statement, for a lock, and for a server that is away to come back within an attempt.',
    related: WITH_POSTGRES + '.',
    raising: 'Raising it lets a worker that stands still hold up its batches for longer.',
  }),
};
