import './global-setup';

/** Stops the server of global-setup.ts and removes its database. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.stopTestServer?.();
}
