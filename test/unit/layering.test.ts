import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

/** Who may import whom, as DESIGN.md (section 4) says it: not read from the lint configuration, which is what is tested. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'src/domain': [],
  'src/contracts': ['src/domain'],
  'src/config': ['src/domain'],
  workflows: ['src/contracts', 'src/domain'],
  activities: ['src/contracts', 'src/domain'],
  'src/http': ['src/contracts', 'src/domain'],
  'src/tcp': ['src/contracts', 'src/domain'],
  'src/temporal': ['src/contracts', 'src/config', 'src/domain'],
  'src/store': ['src/domain'],
};
const LAYERS = [...Object.keys(MAY_IMPORT), 'src/cli'];
const PRESENT = LAYERS.filter((layer) => existsSync(path.join(ROOT, layer)));

interface Case {
  /** Layer of the file that holds the code. */
  from: string;
  code: string;
  /** Part of the complaint; undefined for what is allowed. */
  refused: string | undefined;
}

const betweenLayers: Case[] = Object.entries(MAY_IMPORT).flatMap(([from, allowed]) =>
  PRESENT.flatMap((to) => {
    const refused = to === from || allowed.includes(to) ? undefined : `${from} may import `;
    const specifier = specifierOf(from, to);
    return [
      { from, code: `import * as other from '${specifier}'; void other;`, refused },
      {
        from,
        code: `import type * as other from '${specifier}'; export type Other = typeof other;`,
        refused,
      },
      { from, code: `export * from '${specifier}';`, refused },
    ];
  }),
);

const NOT_A_PACKAGE = 'Not a package for ';
const packages: Case[] = [
  ['src/domain', 'node:fs', false],
  ['src/domain', 'fs', false],
  ['src/domain', 'node:crypto', false],
  ['src/domain', 'zod', false],
  ['src/domain', '@temporalio/common', false],
  ['src/config', 'node:fs', false],
  ['src/config', '@temporalio/client', false],
  ['src/contracts', 'node:fs', false],
  ['src/contracts', '@temporalio/client', false],
  ['src/contracts', '@temporalio/worker', false],
  ['workflows', '@temporalio/workflow', true],
  ['workflows', '@temporalio/common', true],
  ['workflows', '@temporalio/activity', false],
  ['workflows', '@temporalio/client', false],
  ['workflows', 'node:fs', false],
  ['workflows', 'fs', false],
  ['workflows', 'fs/promises', false],
  ['workflows', 'crypto', false],
  ['workflows', 'pino', false],
  ['activities', '@temporalio/activity', true],
  ['activities', '@temporalio/client', false],
  ['activities', '@temporalio/workflow', false],
  ['activities', 'node:fs', false],
  ['src/http', 'express', true],
  ['src/http', 'node:crypto', true],
  ['src/http', '@temporalio/client', false],
  ['src/http', '@temporalio/client/lib/errors', false],
  ['src/http', '@temporalio/common', false],
  ['src/tcp', 'node:net', true],
  ['src/tcp', '@temporalio/client', false],
  ['src/tcp', 'express', false],
  ['src/store', 'node:fs/promises', true],
  ['src/store', 'fs', false],
  ['src/store', '@temporalio/activity', false],
  ['src/store', 'pino', false],
  ['src/temporal', '@temporalio/client', true],
  ['src/temporal', '@temporalio/worker', true],
  ['src/temporal', 'express', false],
  ['src/http', 'node:process', false],
  ['src/store', 'node:process', false],
  ['src/temporal', 'node:process', false],
  ['src/cli', 'commander', true],
  ['src/cli', 'node:process', true],
].flatMap(([from, specifier, allowed]) => {
  const refused = allowed === true ? undefined : NOT_A_PACKAGE + String(from);
  return [
    { from: String(from), code: `import * as other from '${String(specifier)}'; void other;`, refused },
    {
      from: String(from),
      code: `import type { Other } from '${String(specifier)}'; export type O = Other;`,
      refused,
    },
  ];
});

const ONLY_CLI = 'Only src/cli may touch process.env';
const globals: Case[] = [
  'process.env;',
  "process['env'];",
  'const { env } = process;',
  'process.exit(1);',
  'process.exitCode = 1;',
  'process.abort();',
  "process.on('SIGTERM', stop);",
  "process.once('SIGINT', stop);",
  "process.addListener('SIGINT', stop);",
  "process.prependListener('SIGINT', stop);",
  'globalThis.process;',
  'global.process;',
].flatMap((code) =>
  LAYERS.map((from) => ({ from, code, refused: from === 'src/cli' ? undefined : ONLY_CLI })),
);

const IMPORT_ABOVE = 'Import at the top of the file';
const waysAround: Case[] = [
  { from: 'src/http', code: "void import('@temporalio/client');", refused: IMPORT_ABOVE },
  { from: 'src/domain', code: "void import('node:fs');", refused: IMPORT_ABOVE },
  { from: 'workflows', code: 'export const load = (name: string) => import(name);', refused: IMPORT_ABOVE },
  { from: 'src/cli', code: "void import('log-update');", refused: undefined },
  { from: 'src/domain', code: "const fs = require('node:fs'); void fs;", refused: 'require' },
  { from: 'src/domain', code: "import fs = require('node:fs'); void fs;", refused: NOT_A_PACKAGE },
  {
    from: 'src/http',
    code: "export type C = import('@temporalio/client').Client;",
    refused: '`import()` type',
  },
  {
    from: 'src/domain',
    code: "export * from '../../test/helpers/wait-for';",
    refused: 'src/domain may import nothing',
  },
  { from: 'workflows', code: "export * from '../test/helpers/wait-for';", refused: 'workflows may import' },
  { from: 'src/contracts', code: "export { defineSignal } from '@temporalio/workflow';", refused: undefined },
  { from: 'src/contracts', code: "export { sleep } from '@temporalio/workflow';", refused: 'define' },
  {
    from: 'src/contracts',
    code: "import * as sdk from '@temporalio/workflow'; void sdk;",
    refused: 'define',
  },
  { from: 'src/contracts', code: "export type { Payload } from '@temporalio/common';", refused: undefined },
];

const cases = [...betweenLayers, ...packages, ...globals, ...waysAround];
let complaints: string[][];

beforeAll(() => {
  const snippets = cases.map(({ from, code }) => ({ file: path.join(ROOT, from, 'snippet.ts'), code }));
  const output = execFileSync(process.execPath, [path.join(ROOT, 'test/helpers/lint-snippets.mjs')], {
    cwd: ROOT,
    input: JSON.stringify(snippets),
    encoding: 'utf8',
  });
  complaints = JSON.parse(output) as string[][];
});

test('every folder of src is a layer with its own rule', () => {
  const folders = readdirSync(path.join(ROOT, 'src')).map((name) => `src/${name.replace(/\.ts$/, '')}`);
  expect(folders.filter((folder) => !LAYERS.includes(folder))).toEqual([]);
});

test.each(
  cases.map((each, index) => ({ ...each, index, verdict: each.refused === undefined ? 'takes' : 'refuses' })),
)('$from $verdict: $code', ({ refused, index }) => {
  expect(complaints[index]).toEqual(refused === undefined ? [] : [expect.stringContaining(refused)]);
});

/** How a file right in one layer names some file of another. */
function specifierOf(from: string, to: string): string {
  const files = readdirSync(path.join(ROOT, to)).filter((name) => name.endsWith('.ts'));
  const specifier = path.relative(from, path.join(to, path.basename(files[0] ?? '', '.ts')));
  return specifier.startsWith('.') ? specifier : `./${specifier}`;
}
