// Loaded before a process of the attack: its clock is off by what the file says, in milliseconds, and follows it.
const { readFileSync } = require('node:fs');

const RealDate = Date;
let offsetMs = 0;
setInterval(() => {
  try {
    offsetMs = Number(readFileSync(process.env.CHAOS_CLOCK_FILE, 'utf8')) || 0;
  } catch {
    // Between two writes it may be empty, and at first it isn't there.
  }
}, 200).unref();

class ShiftedDate extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + offsetMs] : args));
  }
  static now() {
    return RealDate.now() + offsetMs;
  }
}
globalThis.Date = ShiftedDate;
