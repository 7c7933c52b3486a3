/*
 * Who may import whom. Each layer lists what it may reach; everything else is refused, with the reason. The graph in
 * docs/ARCHITECTURE.md is drawn from the real imports and held against the same table (scripts/import-graph.mjs).
 *
 *   domain     → nothing                      contracts → domain, define… of the SDK, types; api/answers: zod
 *   workflows  → contracts, domain            activities → contracts, concurrency, domain
 *   edge       → contracts, domain            store → concurrency, domain
 *   http, tcp  → edge, contracts, domain      config → domain
 *   temporal   → contracts, config, concurrency, domain
 *   client, ui → contracts, domain            concurrency → nothing
 *   tracing    → contracts, domain             embed      → everything but client, tcp, ui and cli
 *   cli        → everything
 */
export const LAYERS = [
  {
    dir: 'src/domain',
    may: [],
    // Hashes in plain JavaScript, as pure as the domain.
    packages: /^@noble\/hashes\/(hmac|sha2|utils)\.js$/,
    because: 'the domain is pure: it runs in the workflow sandbox, in tests and in tools alike',
  },
  {
    dir: 'src/contracts',
    may: ['src/domain'],
    packages: /^@temporalio\/(workflow|common)$/,
    names: /^define/,
    because: 'contracts are shared by every process and by the workflow sandbox',
  },
  {
    dir: 'src/config',
    may: ['src/domain'],
    packages: /^$/,
    because: 'configuration is read once, by the command line, and must not pull a process in',
  },
  {
    dir: 'workflows',
    may: ['src/contracts', 'src/domain'],
    // Internals of the SDK only for `reset-notice.ts`, see there.
    packages: /^@temporalio\/(workflow|workflow\/lib\/global-attributes|common)$/,
    because:
      'workflow code is replayed: anything else would break determinism or drag a process into the sandbox',
  },
  {
    dir: 'activities',
    may: ['src/contracts', 'src/concurrency', 'src/domain'],
    packages: /^@temporalio\/activity$/,
    because: 'activities get their stores and clients injected',
  },
  {
    dir: 'src/edge',
    may: ['src/contracts', 'src/domain'],
    packages: /^(node:(?!process$).*|zod)$/,
    because: 'it is what every way in shares, whichever protocol it speaks',
  },
  {
    dir: 'src/http',
    may: ['src/edge', 'src/contracts', 'src/domain'],
    packages: /^(node:(?!process$).*|express|helmet|limiter|lru-cache|pino|zod|zod-openapi)$/,
    because: 'the edge knows Temporal only through the BatcherClient interface',
  },
  {
    dir: 'src/tcp',
    may: ['src/edge', 'src/contracts', 'src/domain'],
    packages: /^(node:(?!process$).*|pino)$/,
    because: 'the edge knows Temporal only through the BatcherClient interface',
  },
  {
    dir: 'src/client',
    may: ['src/contracts', 'src/domain'],
    packages: /^node:(http|https|net|stream\/consumers|timers\/promises)$/,
    because: 'whoever uses the client gets it alone: no server, no Temporal, no configuration',
  },
  {
    dir: 'src/ui',
    may: ['src/contracts', 'src/domain'],
    packages: /^(preact|preact\/hooks|@preact\/signals)$/,
    because: 'the dashboard runs in a browser and reaches everything else by the HTTP API',
  },
  {
    dir: 'src/concurrency',
    may: [],
    packages: /^$/,
    because: 'how calls share work knows nothing of the work',
  },
  {
    dir: 'src/store',
    may: ['src/concurrency', 'src/domain'],
    packages: /^(node:(?!process$).*|pg|@aws-sdk\/client-s3)$/,
    because: 'a store knows records and batches, not who calls it',
  },
  {
    dir: 'src/metrics',
    may: ['src/contracts', 'src/domain'],
    packages: /^(node:(?!process$).*|prom-client)$/,
    because: 'it counts what it is told, and knows nobody who tells it',
  },
  {
    dir: 'src/tracing',
    may: ['src/contracts', 'src/domain'],
    packages: /^(node:(?!process$).*|@opentelemetry\/.*|lru-cache)$/,
    // Of two exporters it loads the one that is asked for.
    loadsLater: true,
    because: 'it makes spans of what it is told, and is loaded only where traces are asked for',
  },
  {
    dir: 'src/temporal',
    may: ['src/contracts', 'src/config', 'src/concurrency', 'src/domain'],
    packages: /^(node:(?!process$).*|@temporalio\/.*|lru-cache|pino)$/,
    because:
      'this layer is the only one that talks to a Temporal server, and it knows neither edge nor store',
  },
  {
    dir: 'src/embed',
    may: [
      ...['src/http', 'src/temporal', 'src/metrics', 'src/tracing', 'src/store', 'src/edge', 'src/config'],
      ...['src/contracts', 'src/domain', 'activities'],
    ],
    packages: /^(node:(?!process$).*|@temporalio\/(client|worker)|pino)$/,
    // A store loads its code when it is opened, one of the user's own by its path.
    loadsLater: true,
    because:
      'it puts together what runs in any process, and leaves the process to the command line or the app',
  },
];

/**
 * The rooms of a folder, from the top down: a room imports from those below it, never from those above. Files that stand
 * in the folder itself are either its door or something that all rooms share.
 */
export const ROOMS = {
  'src/domain': ['audit', 'explain', 'running', 'pace', 'buffer', 'partition', 'rules', 'records', 'windows'],
  'src/domain/partition': ['exact', 'search', 'bounds', 'graph'],
  'src/contracts': ['api', 'workflow'],
  'src/http': ['routes', 'openapi', 'live', 'body', 'guards', 'problems'],
  'src/temporal': [
    'replay',
    'worker',
    'rescue',
    'dead-letters',
    'views',
    'shard',
    'children',
    'embedded',
    'server',
    'codec',
  ],
  'src/store': ['testing', 'http', 'own', 'postgres', 's3'],
  'src/ui': ['screens', 'parts', 'model'],
  'src/cli': ['commands', 'process', 'terminal'],
  workflows: ['replay', 'batcher', 'child'],
  'workflows/batcher': ['messages', 'children', 'run'],
};

const PROCESS_MESSAGE = 'Only src/cli may touch process.env, process.exit and signal handlers.';
const PROCESS_PROPERTIES = [
  ...['env', 'exit', 'exitCode', 'abort', 'reallyExit'],
  ...['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'],
].map((property) => ({ object: 'process', property, message: PROCESS_MESSAGE }));
const WAYS_TO_PROCESS = ['globalThis', 'global'].map((object) => ({
  object,
  property: 'process',
  message: PROCESS_MESSAGE,
}));

const plugin = {
  rules: {
    /** What `import()` reaches is checked for packages by no other rule, and not at all when it is computed. */
    'no-dynamic-import': {
      create: (context) => ({
        ImportExpression: (node) =>
          context.report({
            node,
            message: 'Import at the top of the file, where it is checked who imports whom.',
          }),
      }),
    },
  },
};

const within = (dir) => [`${dir}/**/*.{ts,tsx}`, `${dir}.ts`];

/** The folder of a layer, and the file beside it of the same name. */
const modules = (dir) => [dir, `${dir}.ts`];

/** Everything in the project but the layer itself and what it may reach: other layers, tests, scripts. */
function forbiddenPaths({ dir, may, because }) {
  return {
    target: './',
    from: './',
    except: [...[dir, ...may].flatMap(modules), 'node_modules'],
    message: `${dir} may import ${may.join(' and ') || 'nothing of the project'}: ${because}.`,
  };
}

/** Of a room, the rooms above it. */
function forbiddenRooms(dir, room) {
  const rooms = ROOMS[dir];
  return {
    target: './',
    from: rooms.slice(0, rooms.indexOf(room)).map((above) => `${dir}/${above}`),
    message: `In ${dir}, rooms import downwards only: ${rooms.join(' → ')}.`,
  };
}

function pathsRule(zones) {
  return {
    'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
  };
}

/** Where the schemas of the API's answers are: the only part of the contracts that loads zod. */
const ANSWERS = 'src/contracts/api/answers';

/** For whoever must not load zod, as browsers and workflows must not. */
const ANSWERS_AS_TYPES = {
  regex: '(^|/)answers/',
  allowTypeImports: true,
  message: `Import only types from ${ANSWERS}: its schemas load zod.`,
};

function forbiddenPackages({ dir, packages, names, because }) {
  const allowed = packages.source.replace(/^\^|\$$/g, '');
  const unknown = {
    regex: `^(?!\\.)(?!(?:${allowed})$)`,
    message: `Not a package for ${dir}: ${because}.`,
  };
  const others = packages.test('zod') ? [unknown] : [unknown, ANSWERS_AS_TYPES];
  if (names === undefined) return others;
  const otherNames = {
    regex: packages.source,
    allowImportNamePattern: names.source,
    allowTypeImports: true,
    message: `${dir} may import ${names.source.slice(1)}… and types of this package: ${because}.`,
  };
  return [...others, otherNames];
}

export const layerRules = [
  ...LAYERS.map((layer) => ({
    files: within(layer.dir),
    plugins: { layers: plugin },
    rules: {
      ...pathsRule([forbiddenPaths(layer)]),
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: forbiddenPackages(layer) }],
      ...(!layer.loadsLater && { 'layers/no-dynamic-import': 'error' }),
    },
  })),
  ...Object.entries(ROOMS).flatMap(([dir, rooms]) => {
    const isIn = (folder) => `${dir}/`.startsWith(`${folder}/`);
    const ofLayer = LAYERS.filter((layer) => isIn(layer.dir)).map(forbiddenPaths);
    const ofHouses = Object.keys(ROOMS)
      .filter((house) => house !== dir && isIn(house))
      .map((house) => forbiddenRooms(house, dir.slice(house.length + 1).split('/')[0]));
    return rooms.slice(1).map((room) => ({
      files: within(`${dir}/${room}`),
      rules: pathsRule([...ofLayer, ...ofHouses, forbiddenRooms(dir, room)]),
    }));
  }),
  {
    files: within(ANSWERS),
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^(?!\\.)(?!zod$)', message: `Not a package for ${ANSWERS}: it declares schemas.` },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'workflows/**/*.ts', 'activities/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-restricted-properties': ['error', ...PROCESS_PROPERTIES, ...WAYS_TO_PROCESS] },
  },
];
