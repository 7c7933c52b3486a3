// Preloaded into a process (`node --require`): its clock is wrong by the milliseconds in the file that
// KEEPAPART_TEST_CLOCK names. Timers go on as they would: they run on the machine's monotonic clock.
const { readFileSync } = require('node:fs');

const LOOK_EVERY_MS = 200;
const file = process.env.KEEPAPART_TEST_CLOCK;
const RealDate = Date;
const realNow = Date.now;
let offsetMs = 0;

function look() {
  try {
    offsetMs = Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    offsetMs = 0;
  }
}

if (file !== undefined) {
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
  RealDate.now = () => realNow() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget),
    apply: () => new RealDate(RealDate.now()).toString(),
  });
}
