// Preloaded into a process that runs TypeScript of this folder over the product as it was built: what such a process
// takes from src/ and activities/ comes from dist/, as in the real commands, and needs no translation at each start.
const Module = require('node:module');
const path = require('node:path');
require('../helpers/run-typescript.js');

const root = path.resolve(__dirname, '../..');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (...args) {
  const file = resolve.apply(this, args);
  const name = path.relative(root, file);
  return /^(src|activities)\b.*\.ts$/.test(name)
    ? path.join(root, 'dist', name.replace(/\.ts$/, '.js'))
    : file;
};
