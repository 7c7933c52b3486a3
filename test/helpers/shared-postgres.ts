import { randomUUID } from 'node:crypto';
import { askFor, offerOnce, type Offer } from './offer';
import { queryAt, startPostgres, type PostgresDatabase, type PostgresServer } from './postgres-server';

/** Where a suite asks for the Postgres of its run; set by global-setup.ts. */
export const TEST_POSTGRES = 'KEEPAPART_TEST_POSTGRES';

/** One Postgres for all suites of a run. It is started for the first that asks: most runs have none that does. */
export async function offerPostgres(): Promise<Offer> {
  let server: PostgresServer | undefined;
  const offer = await offerOnce(async () => (server = await startPostgres()).url);
  return {
    url: offer.url,
    async close() {
      await offer.close();
      await server?.remove();
    },
  };
}

/** An empty database of a suite's own, on the Postgres that the run shares. */
export async function openDatabase(): Promise<PostgresDatabase> {
  const shared = await askFor(TEST_POSTGRES);
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
