import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { queryAt, startPostgres, type PostgresDatabase, type PostgresServer } from './postgres-server';

/** Where a suite asks for the Postgres of its run; set by global-setup.ts. */
export const TEST_POSTGRES = 'KEEPAPART_TEST_POSTGRES';

/** One Postgres for all suites of a run. It is started for the first that asks: most runs have none that does. */
export async function offerPostgres(): Promise<{ url: string; close(): Promise<void> }> {
  let starting: Promise<PostgresServer> | undefined;
  const offer = createServer((_request, response) => {
    starting ??= startPostgres();
    starting.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => offer.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(offer.address() as AddressInfo).port}`,
    async close() {
      offer.close();
      offer.closeAllConnections();
      await (await starting?.catch(() => undefined))?.remove();
    },
  };
}

/** An empty database of a suite's own, on the Postgres that the run shares. */
export async function openDatabase(): Promise<PostgresDatabase> {
  const offer = process.env[TEST_POSTGRES];
  if (offer === undefined) throw new Error('test/helpers/global-setup.ts did not run');
  const answer = await fetch(offer);
  const shared = await answer.text();
  if (!answer.ok) throw new Error(shared);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await queryAt(shared, `CREATE DATABASE ${name}`);
  const url = new URL(`/${name}`, shared).href;
  return {
    url,
    query: (sql, values) => queryAt(url, sql, values),
    async remove() {
      await queryAt(shared, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
