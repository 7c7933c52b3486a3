const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Files that wait for servers, heartbeats and whole processes: started last, one of them would run on alone. First of all
 * one that makes promises by the hundred thousand, each of which costs more the more suites a process has seen.
 */
const LONG = [
  'unit/admission',
  'chaos/chaos',
  'e2e/audit',
  'e2e/serve',
  'store/overtaking',
  'e2e/roles',
  'e2e/audit-temporal',
  'workflows/dead-letters',
  'e2e/embedded-server',
  'e2e/replay',
  'workflows/versioning',
  'e2e/versions',
  'e2e/replay-live',
  'e2e/client-commands',
  'e2e/line-protocol',
  'e2e/postgres',
  'http/fuzz',
  'store/postgres-outages',
  'store/kill',
  'e2e/rules',
  'workflows/postgres-store',
];

/** Jest knows how long a file takes from the runs before; a fresh clone has none, and would go by the files' sizes. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path: file }) => {
      const name = path.relative(path.join(__dirname, '..'), file).replace(/\.test\.ts$/, '');
      const index = LONG.indexOf(name.split(path.sep).join('/'));
      return index < 0 ? LONG.length : index;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
