// The contract of the store beside this file, in Node's own test runner; Jest and Vitest take it likewise.
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { storeContract } from 'keepapart/store/testing';

for (const { title, check } of storeContract(fileURLToPath(new URL('store.mjs', import.meta.url))))
  test(title, check);
