import { createServer, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';

/** Something that is done once for all suites of a run, when the first one asks for it. */
export interface Offer {
  url: string;
  close(): Promise<void>;
}

/** @param begin gives what each suite gets */
export async function offerOnce(begin: () => Promise<string>): Promise<Offer> {
  let begun: Promise<string> | undefined;
  const server = createServer((_request, response) => {
    begun ??= begin();
    begun.then(
      (given) => response.end(given),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  // It may take as long as it does.
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await begun?.catch(() => undefined);
    },
  };
}

/** What is offered under the name of this environment variable, which global-setup.ts has set. */
export async function askFor(variable: string): Promise<string> {
  const url = process.env[variable];
  if (url === undefined) throw new Error('test/helpers/global-setup.ts did not run');
  // Not by `fetch`, which waits no longer than five minutes.
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on('error', reject);
  });
  const given = await text(response);
  if (response.statusCode !== 200) throw new Error(given);
  return given;
}
