/** The Temporal server that all tests of a run share, and the binary for tests that need one of their own. */
export interface TestServer {
  /** `host:port` for gRPC. */
  address: string;
  /** Path of `temporal`. */
  binary: string;
}

export const TEST_ADDRESS = 'KEEPAPART_TEST_TEMPORAL_ADDRESS';
export const TEST_BINARY = 'KEEPAPART_TEST_TEMPORAL_BINARY';

/** @throws Error outside of Jest, where nothing started a server */
export function testServer(): TestServer {
  const address = process.env[TEST_ADDRESS];
  const binary = process.env[TEST_BINARY];
  if (address === undefined || binary === undefined)
    throw new Error('test/helpers/global-setup.ts did not run');
  return { address, binary };
}
