// Lets a child process of a test run TypeScript: `node -r ./test/helpers/run-typescript.js script.ts`.
// The scripts are those of this folder and the sources beside it, so a test never meets a stale build.
const { transformFileSync } = require('@swc/core');

require.extensions['.ts'] = (module, path) => {
  const { code } = transformFileSync(path, {
    swcrc: false,
    module: { type: 'commonjs' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    sourceMaps: 'inline',
  });
  module._compile(code, path);
};
