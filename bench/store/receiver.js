// An endpoint that answers that all is saved, in a process of its own.
const { createServer } = require('node:http');

const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(204).end());
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
