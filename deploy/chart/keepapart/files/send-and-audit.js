// What `helm test` runs in a pod with keepapart's image: sends two records that the default rule keeps apart, waits for
// their outcomes, and has a worker audit the batch files. Exits with 1 if anything is wrong.
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { KeepapartClient } = require(`${process.env.TEST_APP_FOLDER || '/app'}/dist/src/client/index.js`);

const PATIENCE_MS = 120_000;
const client = new KeepapartClient({ url: process.env.TEST_API_URL, apiKey: process.env.TEST_API_KEY });

async function main() {
  const { requestId } = await client.send([1, 2]);
  console.log(`sent 2 records as ${requestId}`);
  const { counts } = await client.waitForOutcomes(requestId, { timeoutMs: PATIENCE_MS });
  console.log(`${counts.saved} saved, ${counts.rolled_back} rolled back`);

  const { auditId } = await client.startAudit({ by: 'helm test' });
  const { state, result, error } = await ended(auditId);
  if (state !== 'completed') throw new Error(`the audit ${state}: ${error}`);
  if (!result.clean) throw new Error(`the audit found damage: ${JSON.stringify(result)}`);
  console.log('the audit found no damage');
}

async function ended(auditId) {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; await sleep(1000)) {
    const { audits } = await client.audits();
    const audit = audits.find((one) => one.auditId === auditId);
    if (audit !== undefined && audit.state !== 'running') return audit;
  }
  throw new Error(`the audit ${auditId} has not ended in time`);
}

main().catch((error) => {
  console.error(String(error));
  process.exitCode = 1;
});
