// Health of the API in this container: whether it takes records, which it doesn't while Temporal is away.
'use strict';

const tls = Boolean(process.env.KEEPAPART_TLS_CERT_FILE);
const { get } = tls ? require('node:https') : require('node:http');

// Whom the certificate is for doesn't matter here: it is this container that answers, or nobody.
get({
  host: '127.0.0.1',
  port: process.env.KEEPAPART_HTTP_PORT || 3000,
  path: '/readyz',
  rejectUnauthorized: false,
})
  .on('response', (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))
  .on('error', (error) => {
    console.log(String(error));
    process.exit(1);
  });
