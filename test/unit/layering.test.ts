import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

interface Layer {
  /** Layers that it may import from; `undefined`: all of them. */
  layers?: readonly string[];
  /** Some packages that it may import, and some that it must not. */
  takes: readonly string[];
  refuses: readonly string[];
}

/**
 * Who may import whom, as DESIGN.md (section 4) says it, with `edge` for what http and tcp share, and `concurrency` for
 * what store, activities and temporal do: not read from the lint configuration, which is what is tested.
 */
const LAYERS: Record<string, Layer> = {
  'src/concurrency': { layers: [], takes: [], refuses: ['node:fs', 'fs', 'pino', '@temporalio/client'] },
  'src/domain': {
    layers: [],
    takes: [],
    refuses: ['node:fs', 'fs', 'node:crypto', 'zod', '@temporalio/common'],
  },
  'src/contracts': {
    layers: ['src/domain'],
    takes: [],
    refuses: ['node:fs', 'fs', '@temporalio/client', '@temporalio/worker', '@temporalio/activity'],
  },
  'src/config': { layers: ['src/domain'], takes: [], refuses: ['node:fs', 'fs', '@temporalio/envconfig'] },
  workflows: {
    layers: ['src/contracts', 'src/domain'],
    takes: ['@temporalio/workflow', '@temporalio/common'],
    refuses: ['@temporalio/activity', '@temporalio/client', 'node:fs', 'fs', 'fs/promises', 'crypto', 'pino'],
  },
  activities: {
    layers: ['src/contracts', 'src/concurrency', 'src/domain'],
    takes: ['@temporalio/activity'],
    refuses: ['@temporalio/client', '@temporalio/workflow', 'node:fs', 'fs'],
  },
  'src/edge': {
    layers: ['src/contracts', 'src/domain'],
    takes: ['zod'],
    refuses: ['express', 'node:process', '@temporalio/client', '@temporalio/common'],
  },
  'src/http': {
    layers: ['src/edge', 'src/contracts', 'src/domain'],
    takes: ['express', 'node:crypto'],
    refuses: ['@temporalio/client', '@temporalio/client/lib/errors', '@temporalio/common', 'node:process'],
  },
  'src/tcp': {
    layers: ['src/edge', 'src/contracts', 'src/domain'],
    takes: ['node:net', 'pino'],
    refuses: ['@temporalio/client', 'express', 'net', 'node:process'],
  },
  'src/metrics': {
    layers: ['src/contracts', 'src/domain'],
    takes: ['prom-client', 'node:http'],
    refuses: ['express', '@temporalio/client', '@temporalio/worker', 'pino', 'node:process'],
  },
  'src/tracing': {
    layers: ['src/contracts', 'src/domain'],
    takes: ['@opentelemetry/api', 'node:crypto'],
    refuses: ['express', '@temporalio/client', '@temporalio/worker', 'pino', 'node:process'],
  },
  'src/temporal': {
    layers: ['src/contracts', 'src/config', 'src/concurrency', 'src/domain'],
    takes: ['@temporalio/client', '@temporalio/worker', 'node:child_process'],
    refuses: ['express', 'fs', 'pg', 'node:process'],
  },
  'src/client': {
    layers: ['src/contracts', 'src/domain'],
    takes: ['node:http', 'node:https', 'node:timers/promises'],
    refuses: ['express', '@temporalio/client', '@temporalio/common', 'node:fs', 'node:process', 'commander'],
  },
  'src/ui': {
    layers: ['src/contracts', 'src/domain'],
    takes: ['preact', '@preact/signals'],
    refuses: ['express', '@temporalio/common', 'node:fs', 'node:process', 'zod', 'react'],
  },
  'src/store': {
    layers: ['src/concurrency', 'src/domain'],
    takes: ['node:fs/promises', 'pg'],
    refuses: ['fs', 'pg-pool', 'pino', '@temporalio/activity', 'node:process', 'process'],
  },
  'src/embed': {
    layers: [
      ...['src/http', 'src/temporal', 'src/metrics', 'src/tracing', 'src/store', 'src/edge', 'src/config'],
      ...['src/contracts', 'src/domain', 'activities'],
    ],
    takes: ['@temporalio/client', '@temporalio/worker', 'pino'],
    refuses: ['express', 'commander', 'pg', 'node:process', 'fs'],
  },
  'src/cli': { takes: ['commander', '@temporalio/client', 'node:process'], refuses: [] },
};
const NAMES = Object.keys(LAYERS);

/** Code that stands in a layer, and part of what lint has to say to it; undefined: nothing. */
interface Snippet {
  code: string;
  complaint: string | undefined;
  /** A folder of the layer; the layer's own when absent. */
  folder?: string;
}

/** The ways in which one module can name another at the top of the file. */
function imports(specifier: string, complaint: string | undefined): Snippet[] {
  return [
    `import * as other from '${specifier}'; void other;`,
    `import type * as other from '${specifier}'; export type Other = typeof other;`,
    `export * from '${specifier}';`,
    `export type { Other } from '${specifier}';`,
  ].map((code) => ({ code, complaint }));
}

function importsOfLayers(from: string, { layers = NAMES }: Layer): Snippet[] {
  const present = NAMES.filter((to) => to !== from && existsSync(path.join(ROOT, to)));
  return present.flatMap((to) =>
    imports(specifierOf(from, to), layers.includes(to) ? undefined : `${from} may import `),
  );
}

function importsOfPackages(from: string, { takes, refuses }: Layer): Snippet[] {
  return [
    ...takes.flatMap((name) => imports(name, undefined)),
    ...refuses.flatMap((name) => imports(name, `Not a package for ${from}: `)),
  ];
}

function usesOfProcess(from: string): Snippet[] {
  const complaint = from === 'src/cli' ? undefined : 'Only src/cli may touch process.env';
  return [
    'void process.env;',
    "void process['env'];",
    'const { env } = process; void env;',
    'void globalThis.process;',
    'void global.process;',
    'process.exit(1);',
    'process.exitCode = 1;',
    'process.abort();',
    "process.on('SIGTERM', () => undefined);",
    "process.once('SIGTERM', () => undefined);",
    "process.addListener('SIGTERM', () => undefined);",
    "process.prependListener('SIGTERM', () => undefined);",
  ].map((code) => ({ code, complaint }));
}

/** Imports that are not at the top of the file, or not between layers. */
function waysAround(from: string): Snippet[] {
  if (from === 'src/cli') return [{ code: "void import('log-update');", complaint: undefined }];
  // Stores load their code when they are opened.
  const dynamic = ['src/embed', 'src/tracing'].includes(from) ? undefined : 'Import at the top of the file';
  return [
    { code: "void import('@temporalio/client');", complaint: dynamic },
    { code: 'export const load = (name: string) => import(name);', complaint: dynamic },
    { code: "export type Client = import('@temporalio/client').Client;", complaint: '`import()` type' },
    { code: "const fs = require('node:fs'); void fs;", complaint: '`require()`' },
    { code: "import fs = require('node:fs'); void fs;", complaint: '`require()`' },
    ...imports(path.relative(from, 'test/helpers/wait-for'), `${from} may import `),
  ];
}

const DEFINE_ONLY = 'src/contracts may import define… and types';
const OF_CONTRACTS: Snippet[] = [
  { code: "export { defineSignal } from '@temporalio/workflow';", complaint: undefined },
  { code: "export type { Payload } from '@temporalio/common';", complaint: undefined },
  { code: "export { sleep } from '@temporalio/workflow';", complaint: DEFINE_ONLY },
  { code: "import * as sdk from '@temporalio/workflow'; void sdk;", complaint: DEFINE_ONLY },
];

const AS_TYPES = 'Import only types from src/contracts/api/answers';
/** Who may load the schemas of the API's answers, and zod with them. */
const OF_ANSWERS: Record<string, Snippet[]> = {
  'src/contracts': [
    { code: "import { z } from 'zod'; void z;", complaint: undefined, folder: 'src/contracts/api/answers' },
    { code: "import { z } from 'zod'; void z;", complaint: 'Not a package', folder: 'src/contracts/api' },
    {
      code: "export { defineSignal } from '@temporalio/workflow';",
      complaint: 'Not a package',
      folder: 'src/contracts/api/answers',
    },
    {
      code: "export { waitsSchema } from './answers/requests';",
      complaint: AS_TYPES,
      folder: 'src/contracts/api',
    },
    {
      code: "export type { WaitsView } from './answers/requests';",
      complaint: undefined,
      folder: 'src/contracts/api',
    },
  ],
  ...Object.fromEntries(
    ['src/ui', 'src/client', 'workflows', 'src/http'].map((from) => {
      const answers = path.relative(from, 'src/contracts/api/answers/requests');
      return [
        from,
        [
          {
            code: `export { waitsSchema } from '${answers}';`,
            complaint: from === 'src/http' ? undefined : AS_TYPES,
          },
          { code: `export type { WaitsView } from '${answers}';`, complaint: undefined },
        ],
      ];
    }),
  ),
};

const snippets = Object.entries(LAYERS).flatMap(([from, layer]) =>
  [
    ...importsOfLayers(from, layer),
    ...importsOfPackages(from, layer),
    ...usesOfProcess(from),
    ...waysAround(from),
    ...(from === 'src/contracts' ? OF_CONTRACTS : []),
    ...(OF_ANSWERS[from] ?? []),
  ].map((snippet) => ({ ...snippet, from })),
);
let complaints: string[][];

beforeAll(() => {
  // ESLint's configuration is a module, which Jest can't load: so a process of its own, one for all snippets.
  const output = execFileSync(process.execPath, [path.join(ROOT, 'test/helpers/lint-snippets.mjs')], {
    cwd: ROOT,
    input: JSON.stringify(
      snippets.map(({ from, folder = from, code }) => ({ file: `${folder}/snippet.ts`, code })),
    ),
    encoding: 'utf8',
  });
  complaints = JSON.parse(output) as string[][];
});

test('Every folder of src is a layer with rules of its own.', () => {
  const folders = readdirSync(path.join(ROOT, 'src')).map((name) => `src/${name.replace(/\.ts$/, '')}`);
  expect(folders.filter((folder) => !NAMES.includes(folder))).toEqual([]);
});

test.each(NAMES)('lint lets %s import and touch what it may, and nothing else', (layer) => {
  const judged = snippets
    .map((snippet, index) => ({ ...snippet, complained: complaints[index]!.join('; ') }))
    .filter(({ from }) => from === layer);
  const wrong = judged.filter(({ complaint, complained }) =>
    complaint === undefined ? complained !== '' : !complained.includes(complaint),
  );
  expect(judged.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

test('No import crosses the layers unseen by lint, and ARCHITECTURE.md draws those that there are.', () => {
  const script = path.join(ROOT, 'scripts/import-graph.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

/** How a file right in one layer names some file of another. */
function specifierOf(from: string, to: string): string {
  const file = readdirSync(path.join(ROOT, to)).find((name) => name.endsWith('.ts')) ?? 'missing';
  const specifier = path.relative(from, path.join(to, path.basename(file, '.ts')));
  return specifier.startsWith('.') ? specifier : `./${specifier}`;
}
