import type { Client } from '@temporalio/client';
import type { SearchAttributeType } from '@temporalio/common';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';
import { SEARCH_ATTRIBUTES } from '../../contracts/workflow/search-attributes';
import { KeepapartError } from '../../domain/errors';
import { MINUTE, SECOND } from '../../domain/duration';
import { callTemporal } from './calls';
import { GRPC_STATUS, hasFailedWith } from './grpc-status';
import { waitUntil } from './wait-until';

/** Retention period of a new namespace: how long requests and batches can be looked up after they closed. */
const RETENTION_SECONDS = 3 * 24 * 60 * 60;

/**
 * Creates what keepapart needs on a Temporal server: the namespace and the search attributes. Existing ones are left
 * unchanged, so every process can call this at every start. Resolves when the attributes are usable.
 * @throws `temporal-start-failed` if a search attribute exists with another type; `temporal-unavailable`
 */
export async function registerWithTemporal(client: Client): Promise<void> {
  const namespace = client.options.namespace;
  await ensureNamespace(client, namespace);
  await ensureSearchAttributes(client, namespace);
}

/** Resolves if Temporal answers and the namespace exists. @throws `temporal-unavailable` (retried by the client) */
export async function checkNamespace(client: Client): Promise<void> {
  await callTemporal(client, 'Temporal does not answer', () =>
    client.workflowService.describeNamespace({ namespace: client.options.namespace }),
  );
}

async function ensureNamespace(client: Client, namespace: string): Promise<void> {
  try {
    await client.workflowService.describeNamespace({ namespace });
    return;
  } catch (error) {
    if (!hasFailedWith(error, GRPC_STATUS.notFound)) throw error;
  }
  try {
    await client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: RETENTION_SECONDS as unknown as Long },
    });
  } catch (error) {
    if (!hasFailedWith(error, GRPC_STATUS.alreadyExists)) throw error;
  }
  // Other parts of the server see a new namespace only when their cache refreshes, every few seconds.
  await waitUntil(() => canList(client, namespace, ''), {
    timeoutMs: MINUTE,
    intervalMs: SECOND / 2,
    what: `namespace ${namespace} to be usable`,
  });
}

async function ensureSearchAttributes(client: Client, namespace: string): Promise<void> {
  const wanted = Object.values(SEARCH_ATTRIBUTES);
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = wanted.filter((attribute) => !(attribute.name in customAttributes));
  for (const attribute of wanted) {
    const type: number | undefined = customAttributes[attribute.name];
    if (type !== undefined && type !== indexedValueType(attribute.type)) {
      throw new KeepapartError(
        'temporal-start-failed',
        `search attribute ${attribute.name} of namespace ${namespace} has another type than ${attribute.type}`,
      );
    }
  }
  if (missing.length > 0) {
    await client.connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name, type }) => [name, indexedValueType(type)])),
    });
  }
  const query = wanted.map(({ name }) => `${name} IS NULL`).join(' AND ');
  await waitUntil(() => canList(client, namespace, query), {
    timeoutMs: MINUTE,
    intervalMs: SECOND / 5,
    what: 'the search attributes to be usable',
  });
}

async function canList(client: Client, namespace: string, query: string): Promise<boolean> {
  try {
    await client.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
    return true;
  } catch {
    return false;
  }
}

/** The server API's number for a type. An unknown name would be a bug. */
function indexedValueType(type: SearchAttributeType): number {
  const encoded = encodeSearchAttributeIndexedValueType(type);
  if (encoded === undefined) throw new TypeError(`no such search attribute type: ${type}`);
  return encoded;
}

type Long = NonNullable<
  NonNullable<
    Parameters<Client['workflowService']['registerNamespace']>[0]['workflowExecutionRetentionPeriod']
  >['seconds']
>;
