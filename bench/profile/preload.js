/*
 * Preloaded into every thread of a process that is profiled. V8 counts JSON's time for whoever calls it, so JSON gets
 * frames with names; and a process that has no handler of SIGTERM ends by it without writing its profile.
 */
const vm = require('node:vm');
const { isMainThread } = require('node:worker_threads');

const NAMED_JSON = `{
  const { parse, stringify } = JSON;
  JSON.parse = function JSON_parse(...args) { return parse(...args); };
  JSON.stringify = function JSON_stringify(...args) { return stringify(...args); };
}`;

vm.runInThisContext(NAMED_JSON);
const { createContext } = vm;
// Workflows run in contexts of their own.
vm.createContext = (...args) => {
  const context = createContext(...args);
  vm.runInContext(NAMED_JSON, context);
  return context;
};

if (isMainThread)
  process.on('SIGTERM', () => {
    if (process.listenerCount('SIGTERM') === 1) process.exit(0);
  });
