import './global-setup';

/** Stops what global-setup.ts has started and removes its databases. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.stopTestServer?.();
}
