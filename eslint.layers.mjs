/*
 * Who may import whom. Each layer lists what it may reach; everything else is refused, with the reason.
 *
 *   domain     → nothing                      contracts → domain, define… of the SDK
 *   workflows  → contracts, domain            activities → contracts, domain
 *   http       → contracts, domain            store → domain
 *   temporal   → contracts, config, domain    config → domain
 *   cli        → everything
 */
const SOURCES = [
  'src/domain',
  'src/contracts',
  'src/config',
  'src/http',
  'src/tcp',
  'src/temporal',
  'src/store',
  'src/cli',
  'workflows',
  'activities',
];

const LAYERS = [
  {
    dir: 'src/domain',
    may: [],
    packages: /^$/,
    because: 'the domain is pure: it runs in the workflow sandbox, in tests and in tools alike',
  },
  {
    dir: 'src/contracts',
    may: ['src/domain'],
    packages: /^@temporalio\/(workflow|common)$/,
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
    packages: /^@temporalio\/(workflow|common)$/,
    because:
      'workflow code is replayed: anything else would break determinism or drag a process into the sandbox',
  },
  {
    dir: 'activities',
    may: ['src/contracts', 'src/domain'],
    packages: /^@temporalio\/activity$/,
    because: 'activities get their stores and clients injected',
  },
  {
    dir: 'src/http',
    may: ['src/contracts', 'src/domain'],
    packages: /^(node:.*|express|zod|helmet|pino|pino-http)$/,
    because: 'the edge knows Temporal only through the BatcherClient interface',
  },
  {
    dir: 'src/tcp',
    may: ['src/contracts', 'src/domain'],
    packages: /^node:.*$/,
    because: 'the edge knows Temporal only through the BatcherClient interface',
  },
  {
    dir: 'src/store',
    may: ['src/domain'],
    packages: /^node:.*$/,
    because: 'a store knows records and batches, not who calls it',
  },
  {
    dir: 'src/temporal',
    may: ['src/contracts', 'src/config', 'src/domain'],
    packages: /^(node:.*|@temporalio\/.*|lru-cache|pino)$/,
    because:
      'this layer is the only one that talks to a Temporal server, and it knows neither edge nor store',
  },
];

const PROCESS_GLOBALS = ['env', 'exit', 'on', 'once'].map((property) => ({
  object: 'process',
  property,
  message: 'Only src/cli may touch process.env, process.exit and signal handlers.',
}));

const within = (dir) => [`${dir}/**/*.ts`, `${dir}.ts`];

/** A regular expression for import specifiers of packages other than the allowed ones. */
const otherPackages = (allowed) => `^(?!\\.)(?!(?:${allowed.source.replace(/^\^|\$$/g, '')})$)`;

export const layerRules = [
  ...LAYERS.map(({ dir, may, packages, because }) => ({
    files: within(dir),
    rules: {
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: SOURCES.filter((from) => from !== dir && !may.includes(from)).map((from) => ({
            target: './',
            from: [`./${from}`, `./${from}.ts`],
            message: `${dir} may import ${may.join(' and ') || 'nothing of the project'}: ${because}.`,
          })),
        },
      ],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: otherPackages(packages), message: `Not a package for ${dir}: ${because}.` }] },
      ],
    },
  })),
  {
    files: ['src/**/*.ts', 'workflows/**/*.ts', 'activities/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-restricted-properties': ['error', ...PROCESS_GLOBALS] },
  },
];
