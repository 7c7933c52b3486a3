// Health of the keepapart in this container, whatever its role: whether it is ready, by its probe port. A process that hangs
// doesn't answer, and one that doesn't reach Temporal says so.
'use strict';

const { get } = require('node:http');

get({ host: '127.0.0.1', port: process.env.KEEPAPART_METRICS_PORT, path: '/readyz', timeout: 4000 })
  .on('response', (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', (error) => {
    console.log(String(error));
    process.exit(1);
  });
