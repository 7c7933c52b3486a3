// Health of the API in this container: whether it takes records, which it doesn't while Temporal is away.
'use strict';

fetch('http://127.0.0.1:3000/readyz').then(
  (answer) => process.exit(answer.ok ? 0 : 1),
  (error) => {
    console.log(String(error.cause ?? error));
    process.exit(1);
  },
);
