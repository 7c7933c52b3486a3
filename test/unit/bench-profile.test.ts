import path from 'node:path';
import { categoryOf } from '../../bench/profile/cpu-profile';
import { byCategory } from '../../bench/profile/go-profile';

const ROOT = path.resolve(__dirname, '../..');

function category(functionName: string, url = ''): string {
  return categoryOf({ functionName, url, lineNumber: 0, columnNumber: 0 });
}

test('A function of JavaScript is counted for the package or the file of ours that it comes from.', () => {
  expect(category('save', `file://${ROOT}/dist/src/store/file-store.js`)).toBe('ours: src/store/file-store');
  expect(category('run', `${ROOT}/node_modules/@temporalio/worker/lib/worker.js`)).toBe('Temporal SDK');
  expect(category('uint32', `${ROOT}/node_modules/protobufjs/src/writer.js`)).toBe('protobuf');
  expect(category('write', `${ROOT}/node_modules/pino/lib/proto.js`)).toBe('package pino');
  expect(category('emit', 'node:events')).toBe("Node's own JavaScript");
});

test('A native call is counted by what it does, and idle time and garbage collection by their names.', () => {
  expect(category('fsync')).toBe('native: files');
  expect(category('WorkflowActivation$decode')).toBe('protobuf');
  expect(category('JSON_parse', 'evalmachine.<anonymous>')).toBe('JSON');
  expect(category('postMessage')).toBe('native: messages between threads');
  expect(category('(idle)')).toBe('idle');
  expect(category('(garbage collector)')).toBe('garbage collection');
});

test('A function of Go is counted for its package, and an address without one for the kernel.', () => {
  const functions = [
    'modernc.org/sqlite/lib._sqlite3VdbeExec',
    'runtime.gcDrain',
    'runtime.schedule',
    'go.temporal.io/server/service/history.(*historyEngineImpl).UpdateWorkflowExecution',
    '',
  ];
  expect(Object.fromEntries(byCategory(functions))).toEqual({
    SQLite: 1,
    'garbage collection and allocation': 1,
    'Go runtime: scheduler and the rest': 1,
    'Temporal: history service': 1,
    kernel: 1,
  });
});
