/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  globalSetup: '<rootDir>/test/helpers/global-setup.ts',
  globalTeardown: '<rootDir>/test/helpers/global-teardown.ts',
  testSequencer: '<rootDir>/test/helpers/longest-first.js',
  testMatch: ['**/*.test.ts'],
  // The long attack: `npm run test:attack`. Every run has the short one beside it.
  testPathIgnorePatterns: ['/node_modules/', '/test/chaos/chaos\\.test\\.ts$'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  // More than the two cores that are meant: much of what the tests do is waiting, for one real Temporal server among others.
  maxWorkers: 4,
  // Modules of a suite that has ended stay in memory (some 100 MB where Temporal's SDK is loaded), and the collector's work on
  // them had slowed the last suites down to a twentieth of their speed.
  workerIdleMemoryLimit: '300MB',
  // Nothing may fail but the patience on a busy machine; a test that hangs is rare, and one that is slow isn't.
  testTimeout: 180_000,
};
