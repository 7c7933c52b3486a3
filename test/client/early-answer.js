// A process of its own that answers a body early and closes at once with the rest unread: in the test's own process the
// answer would always be read before the next write. Prints its port. Argument: how it closes.
const { createServer } = require('node:http');

const BEFORE_ANSWER = 200_000;
const how = process.argv[2];
const server = createServer((req, res) => {
  let received = 0;
  req.on('error', () => undefined);
  req.on('data', (chunk) => {
    received += chunk.length;
    if (received < BEFORE_ANSWER || res.headersSent) return;
    req.pause();
    res.writeHead(400, { 'content-type': 'application/problem+json', connection: 'close' });
    const problem = { code: 'invalid-json', detail: 'line 8', requestId: 'r', accepted: 7 };
    res.end(JSON.stringify(problem), () => {
      if (how === 'destroy') req.socket.destroy();
    });
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
// Ends with the test that started it.
process.stdin.resume().on('end', () => process.exit());
