// Imports a file of many records through a small buffer, and audits that each has one outcome:
// `npm run import-many -- --help`, docs/OPERATIONS.md "Attack and soak".
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const HELP = `npm run import-many -- [options]

  --records <n>         how many lines the file has (default 1000000)
  --buffer <n>          MAX_BUFFERED_RECORDS (default 500)
  --batch-size <n>      MAX_BATCH_SIZE (default 100)
  --save-activity <how> SAVE_ACTIVITY: auto (default), record or batch
  --with <what>         import (default): keepapart import; curl: curl -T, which sends the file once
  --port <n>            HTTP_PORT (default 15999)
  --folder <path>       uses this folder, and leaves everything in it`;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    buffer: { type: 'string', default: '500' },
    'batch-size': { type: 'string', default: '100' },
    'save-activity': { type: 'string', default: 'auto' },
    with: { type: 'string', default: 'import' },
    port: { type: 'string', default: '15999' },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const root = path.resolve(import.meta.dirname, '..');
const records = Number(values.records);
const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), 'keepapart-import-'));
const url = `http://127.0.0.1:${values.port}`;
const KEY = 'many';
const env = {
  ...process.env,
  KEEPAPART_DATA_DIR: path.join(folder, 'data'),
  KEEPAPART_OUT_DIR: path.join(folder, 'out'),
  KEEPAPART_HTTP_PORT: values.port,
  KEEPAPART_TCP_PORT: '0',
  KEEPAPART_TEMPORAL_PORT: String(Number(values.port) + 1),
  KEEPAPART_UI_PORT: '0',
  KEEPAPART_LOG_LEVEL: 'warn',
  KEEPAPART_OUTCOME_FORMAT: 'json',
  KEEPAPART_MAX_BUFFERED_RECORDS: values.buffer,
  KEEPAPART_MAX_BATCH_SIZE: values['batch-size'],
  KEEPAPART_SAVE_ACTIVITY: values['save-activity'],
};
const keepapart = [process.execPath, path.join(root, 'dist/src/cli/main.js')];
let server;
let code = 1;

try {
  const built = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('it could not be built');
  server = spawn(keepapart[0], [keepapart[1], 'serve'], { env, cwd: folder, stdio: 'inherit' });
  await write('many.ndjson', (i) => JSON.stringify({ n: i }));
  await write('ledger.jsonl', (i) => JSON.stringify({ recordId: `${KEY}:${i}`, value: { n: i } }));
  await until('the API', async () => (await fetch(`${url}/readyz`)).ok);
  const begunAtMs = Date.now();
  if (values.with === 'curl') await run('curl', ['-sS', '--fail-with-body', '-T', 'many.ndjson', ...CURL()]);
  else await run(...keepapart, ['import', 'many.ndjson', '--key', KEY, '--retry-for', '3600']);
  const seconds = (Date.now() - begunAtMs) / 1000;
  console.log(
    `${records} records accepted in ${seconds.toFixed(0)} s, ${(records / seconds).toFixed(0)} a second`,
  );
  await until('the buffer to be empty', async () => {
    const { total } = await (await fetch(`${url}/v1/status`)).json();
    if (total.unaccounted !== 0) throw new Error(`unaccounted for: ${total.unaccounted}`);
    return total.bufferedRecords === 0 && total.inFlight === 0;
  });
  const { total } = await (await fetch(`${url}/v1/status`)).json();
  console.log(JSON.stringify(total.counters));
  await run(...keepapart, ['audit', '--ledger', 'ledger.jsonl']);
  if (total.counters.accepted !== records) throw new Error(`accepted: ${total.counters.accepted}`);
  code = 0;
} catch (error) {
  console.error(error);
}
if (server !== undefined && server.exitCode === null) {
  server.kill('SIGTERM');
  await once(server, 'exit');
}
if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
process.exit(code);

function CURL() {
  return ['-H', 'content-type: application/x-ndjson', '-X', 'POST', '-H', `idempotency-key: "${KEY}"`].concat(
    `${url}/v1/records`,
  );
}

async function write(name, line) {
  const file = createWriteStream(path.join(folder, name));
  for (let i = 0; i < records; i++) if (!file.write(`${line(i)}\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
}

/** Runs a command to its end. */
async function run(command, ...args) {
  const child = spawn(command, args.flat(), { env, cwd: folder, stdio: 'inherit' });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`${args.flat().join(' ')} ended with ${status}`);
}

/** Waits as long as the server lives. */
async function until(what, look) {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`keepapart ended while we waited for ${what}`);
    try {
      if (await look()) return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await sleep(500);
  }
}
