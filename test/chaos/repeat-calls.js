// Preloaded into a process (`node --require`): while the file that KEEPAPART_TEST_REPEATS names holds a number, each call
// by which it changes a workflow reaches Temporal a second time, up to that many milliseconds later.
const { readFileSync } = require('node:fs');
const { Client } = require('@grpc/grpc-js');

const CHANGES = /\/(Signal|SignalWithStart|Start|Update)WorkflowExecution|ExecuteMultiOperation$/;
const LOOK_EVERY_MS = 200;
const file = process.env.KEEPAPART_TEST_REPEATS;
const makeUnaryRequest = Client.prototype.makeUnaryRequest;
let withinMs = 0;

if (file !== undefined) {
  setInterval(() => {
    try {
      withinMs = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      withinMs = 0;
    }
  }, LOOK_EVERY_MS).unref();
  Client.prototype.makeUnaryRequest = function (method, ...args) {
    const call = makeUnaryRequest.call(this, method, ...args);
    if (withinMs > 0 && CHANGES.test(method)) {
      const again = () => makeUnaryRequest.call(this, method, ...args.slice(0, -1), () => undefined);
      setTimeout(again, Math.random() * withinMs).unref();
    }
    return call;
  };
}
