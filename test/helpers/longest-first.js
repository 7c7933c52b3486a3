const { createHash } = require('node:crypto');
const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Files that wait for servers, heartbeats and whole processes: started last, one of them would run on alone. First of all
 * one that makes promises by the hundred thousand, each of which costs more the more suites a process has seen.
 */
const LONG = [
  'unit/admission',
  'e2e/roles',
  'e2e/audit-temporal',
  'e2e/serve',
  'workflows/backlog',
  'e2e/audit',
  'store/overtaking',
  'e2e/client-commands',
  'chaos/short-attack',
  'workflows/undoing',
  'workflows/dead-letters',
  'e2e/line-protocol',
  'http/fuzz',
  'workflows/versioning',
  'e2e/replay',
  'e2e/query-guard',
  'e2e/replay-live',
  'store/kill',
  'e2e/embedded-server',
  'e2e/versions',
  'e2e/postgres',
  'store/postgres-outages',
  'e2e/rules',
  'workflows/streams',
  'workflows/rescue',
  'workflows/reset',
  'workflows/postgres-store',
];

/**
 * Jest knows how long a file takes from the runs before; a fresh clone has none, and would go by the files' sizes.
 * `KEEPAPART_TEST_ORDER` asks for a random order instead, which this seed repeats (scripts/test-often.mjs).
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const nameOf = ({ path: file }) =>
      path
        .relative(path.join(__dirname, '..'), file)
        .replace(/\.test\.ts$/, '')
        .split(path.sep)
        .join('/');
    const seed = process.env.KEEPAPART_TEST_ORDER;
    if (seed !== undefined) {
      const lot = (test) =>
        createHash('sha256')
          .update(`${seed} ${nameOf(test)}`)
          .digest('hex');
      return [...tests].sort((a, b) => (lot(a) < lot(b) ? -1 : 1));
    }
    const rank = (test) => {
      const index = LONG.indexOf(nameOf(test));
      return index < 0 ? LONG.length : index;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
