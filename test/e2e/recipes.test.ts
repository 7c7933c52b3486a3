import { transformSync } from '@swc/core';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { startSystem, temporaryFolder, type System } from '../helpers/system';

jest.setTimeout(300_000);

const ROOT = path.resolve(__dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/RECIPES.md'), 'utf8');
const { exports: ENTRIES } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, { default: string }>;
};

interface Recipe {
  title: string;
  program: string;
  /** What it prints; undefined for a store, which prints nothing. */
  output: string | undefined;
}

const RECIPES = PAGE.split(/^## /m)
  .slice(1)
  .map((section): Recipe => ({
    title: section.split('\n', 1)[0]!,
    program: /```ts\n(.*?)```/s.exec(section)?.[1] ?? '',
    output: /```text\n(.*?)```/s.exec(section)?.[1],
  }));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let system: System;

beforeAll(async () => {
  folder = await temporaryFolder();
  const env = { KEEPAPART_FLUSH_INTERVAL_MS: '100', KEEPAPART_SAVE_FAILURE_RATE: '0' };
  system = await startSystem('serve', { cwd: folder.path, env });
});
afterAll(async () => {
  await system.killGroup();
  await folder.remove();
});

/** The program as JavaScript that finds the built package and the API of this test. */
function runnable(program: string): string {
  const { code } = transformSync(program, {
    swcrc: false,
    module: { type: 'es6' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  });
  return code
    .replaceAll(/'(keepapart[a-z/]*)'|"(keepapart[a-z/]*)"/g, (_, single, double) => {
      const entry = ENTRIES[`.${String(single ?? double).slice('keepapart'.length)}`];
      return JSON.stringify(pathToFileURL(path.join(ROOT, entry!.default)).href);
    })
    .replaceAll('http://127.0.0.1:3000', system.apiUrl);
}

test.each(
  RECIPES.filter(({ output }) => output !== undefined).map((recipe) => [recipe.title, recipe] as const),
)('The recipe "%s" prints what the page shows.', async (_, { program, output }) => {
  const file = path.join(folder.path, 'recipe.mjs');
  await writeFile(file, runnable(program));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder.path });
  expect(stdout).toBe(output);
});

test('The store of the recipes saves, rejects and undoes.', async () => {
  const { program } = RECIPES.find(({ output }) => output === undefined)!;
  const tryOut = `
    import definition from './store.mjs';
    const call = { batchId: 'b', openedAtMs: 0, attempt: 1, signal: new AbortController().signal };
    const records = [{ recordId: 'r:0', value: 1 }, { recordId: 'r:1', value: null }];
    const store = definition.open ? await definition.open({}) : definition;
    console.log(JSON.stringify(await store.saveBatch(records, call)));
    await store.undo(records, call);
  `;
  await writeFile(path.join(folder.path, 'store.mjs'), runnable(program));
  await writeFile(path.join(folder.path, 'try.mjs'), tryOut);
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(folder.path, 'try.mjs')]);
  expect(JSON.parse(stdout)).toEqual(['saved', { outcome: 'rejected', reason: 'null is not an order' }]);
});
