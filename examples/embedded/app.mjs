// An Express app with users and routes of its own, and keepapart under /keepapart.
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import express from 'express';
import { createKeepapartRouter, RIGHTS } from 'keepapart/express';
import { address, settings, taskQueue } from './settings.mjs';

const client = new Client({ connection: await Connection.connect({ address }) });

/** Stands for the app's own way to log users in. */
const USERS = {
  'token-of-ann': { name: 'ann', isAdmin: true },
  'token-of-bob': { name: 'bob', isAdmin: false },
};
function logIn(req, _res, next) {
  req.user = USERS[req.headers.authorization?.replace(/^Bearer /, '')];
  next();
}

const keepapart = await createKeepapartRouter({
  client,
  settings,
  authorize: ({ user }) => user && { name: user.name, rights: user.isAdmin ? RIGHTS : ['ingest', 'read'] },
});

const app = express();
app.use(logIn);
app.use('/keepapart', keepapart); // before body parsers
app.use(express.json());
app.post('/orders/:order', async (req, res) => {
  const workflow = { taskQueue, workflowId: randomUUID(), args: [req.params.order] };
  res.json({ result: await client.workflow.execute('confirmOrder', workflow), note: req.body.note });
});
app.get('/readyz', async (_req, res) => {
  res.json(await keepapart.checkReady());
});

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/keepapart/`);
});
server.requestTimeout = 0; // a stream of records may take longer than Node's five minutes

process.once('SIGTERM', async () => {
  server.close();
  await keepapart.close();
  await client.connection.close();
});
