const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** Files that wait for servers, heartbeats and whole processes: started last, one of them would run on alone. */
const LONG = [
  'chaos/chaos',
  'e2e/replay',
  'e2e/audit',
  'e2e/roles',
  'e2e/audit-temporal',
  'workflows/dead-letters',
  'e2e/serve',
  'e2e/embedded-server',
  'workflows/versioning',
  'e2e/versions',
  'store/settling',
  'e2e/replay-live',
  'http/fuzz',
  'workflows/saving-locally',
  'e2e/client-commands',
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
