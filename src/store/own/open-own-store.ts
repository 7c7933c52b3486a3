import { KeepapartError } from '../../domain/errors';
import { describeReceived, problemLines, type FieldProblem } from '../../domain/field-problems';
import { isObject } from '../../domain/json';
import type { RecordStore } from '../../domain/records/record-store';
import type { BatchSaver, ForTesting, FullStore, OpenedStore, OpenStore, StoreContext } from './definition';
import { validateOptions } from './options';
import { createSavingStore, type SavingStoreOptions } from './saving-store';

export interface OwnStoreOptions extends SavingStoreOptions {
  /** The module, for messages. */
  name: string;
  /** STORE_OPTIONS, not yet validated. */
  options: unknown;
}

/** A user's own store, opened. */
export interface OwnStore extends RecordStore {
  testing: ForTesting;
  /** Whether it undoes what a failed save left. */
  undoes: boolean;
  close(): Promise<void>;
}

const PORT = ['save', 'rollback', 'closeBatch', 'readBatch'] as const;

const EXPECTED =
  'a default export with saveBatch, with open, or with all of save, rollback, closeBatch and readBatch';

/**
 * Opens a user's own store, in any form.
 * @param exported what the module exports: the store itself, or all exports with the store as `default`
 * @throws `invalid-config` if it isn't a store, or its options are invalid; `store-unusable` if `open` fails. Neither is
 *   retried
 */
export async function openOwnStore(exported: unknown, options: OwnStoreOptions): Promise<OwnStore> {
  const definition = definitionIn(exported);
  if (definition === undefined) throw noStore(options, EXPECTED, exported);
  let opened: OpenStore;
  if (isOpened(definition)) {
    const { dataDir, outDir } = options.folders;
    const context: StoreContext = { dataDir, outDir };
    const taken = await optionsOf(definition, options);
    try {
      opened = await definition.open(taken, context);
    } catch (cause) {
      const shown = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      throw new KeepapartError('store-unusable', `STORE=${options.name}: open failed: ${shown}`, { cause });
    }
    if (!isSaver(opened) && !isFull(opened))
      throw noStore(options, 'open to return an object with saveBatch, or with the whole port', opened);
  } else {
    await optionsOf({}, options);
    opened = definition;
  }
  const testing = { ...definition.testing, ...opened.testing };
  const store = isFull(opened) ? bound(opened) : createSavingStore(opened, options);
  const undoes = isFull(opened) || opened.undo !== undefined;
  return { ...store, testing, undoes, close: async () => opened.close?.() };
}

type Definition = (BatchSaver | FullStore | OpenedStore<unknown>) & { testing?: ForTesting };

/**
 * The default export. If an ES module is loaded from CommonJS or the other way round, it is nested once more, and parts of it
 * may be separate exports too. Without a default, the exports are the store.
 */
function definitionIn(exported: unknown): Definition | undefined {
  const inside = isObject(exported) && 'default' in exported ? definitionIn(exported['default']) : undefined;
  if (inside !== undefined) return inside;
  return isOpened(exported) || isSaver(exported) || isFull(exported) ? exported : undefined;
}

function isOpened(value: unknown): value is OpenedStore<unknown> {
  return hasFunctions(value, ['open']);
}

function isSaver(value: unknown): value is BatchSaver {
  return hasFunctions(value, ['saveBatch']);
}

function isFull(value: unknown): value is FullStore {
  return hasFunctions(value, PORT);
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => typeof value[name] === 'function');
}

async function optionsOf(
  { options: schema }: Pick<OpenedStore<unknown>, 'options'>,
  { name, options }: OwnStoreOptions,
) {
  const { length } = isObject(options) ? Object.keys(options) : [];
  if (schema === undefined) {
    if (length === 0) return undefined;
    throw refused(name, [
      {
        field: 'STORE_OPTIONS',
        expected: 'nothing, because this store takes no options',
        received: `${length} options`,
      },
    ]);
  }
  const validated = await validateOptions(schema, options);
  if ('problems' in validated) throw refused(name, validated.problems);
  return validated.options;
}

function refused(name: string, problems: readonly FieldProblem[]): KeepapartError {
  return new KeepapartError(
    'invalid-config',
    `The options of STORE=${name} are not valid:${problemLines(problems)}`,
    {
      problems,
    },
  );
}

function noStore({ name }: OwnStoreOptions, expected: string, received: unknown): KeepapartError {
  const keys = isObject(received)
    ? `an object with ${Object.keys(received).join(', ') || 'nothing in it'}`
    : undefined;
  const problems = [{ field: 'STORE', expected, received: keys ?? describeReceived(received) }];
  return new KeepapartError('invalid-config', `${name} does not export a store:${problemLines(problems)}`, {
    problems,
  });
}

/** The port of an object whose functions may be methods of a class. */
function bound(store: FullStore): RecordStore {
  return {
    save: (...args) => store.save(...args),
    rollback: (...args) => store.rollback(...args),
    closeBatch: (...args) => store.closeBatch(...args),
    readBatch: (...args) => store.readBatch(...args),
    ...(store.saveAll && { saveAll: store.saveAll.bind(store) }),
    ...(store.rollbackAll && { rollbackAll: store.rollbackAll.bind(store) }),
    ...(store.closeBatches && { closeBatches: store.closeBatches.bind(store) }),
    ...(store.boundsItsCalls !== undefined && { boundsItsCalls: store.boundsItsCalls }),
  };
}
