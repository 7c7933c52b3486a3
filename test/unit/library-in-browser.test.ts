import { transformFileSync } from '@swc/core';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';

interface Library {
  partition: (records: unknown, options: unknown) => { batches: unknown[][]; isProved: boolean };
  explainRecord: (batches: unknown, record: unknown, options: unknown) => unknown;
  explainPartition: (records: unknown, options: unknown) => { summary: { batches: number } };
  parseConflictRules: (rules: unknown) => { rules: unknown; problems: unknown[] };
}

/** Loads a module into a realm that has the language alone: no `require`, `process`, `Buffer`, nor anything of a browser. */
function loadBare(entry: string): { library: Library; files: string[] } {
  const context = createContext({});
  const loaded = new Map<string, { exports: unknown }>();
  const load = (file: string): unknown => {
    const known = loaded.get(file);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(file, module);
    const { code } = transformFileSync(file, {
      swcrc: false,
      module: { type: 'commonjs' },
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    });
    const run = runInContext(`(function (module, exports, require) {${code}\n})`, context) as (
      ...given: unknown[]
    ) => void;
    run(module, module.exports, (name: string) => {
      if (!name.startsWith('.')) throw new Error(`${file} imports ${name}, which a browser does not have`);
      const path = resolve(dirname(file), name);
      return load(existsSync(`${path}.ts`) ? `${path}.ts` : `${path}/index.ts`);
    });
    return module.exports;
  };
  return { library: load(entry) as Library, files: [...loaded.keys()] };
}

test('The library works without Node, and imports nothing outside src/domain.', () => {
  const { library, files } = loadBare(resolve(__dirname, '../../src/domain/index.ts'));
  expect(files.filter((file) => !file.includes('/src/domain/'))).toEqual([]);
  const { rules, problems } = library.parseConflictRules([{ alike: '/tenant' }, { distinct: '/sku' }]);
  expect(problems).toHaveLength(0);
  const rows = [1, 1, 2, 3].map((sku) => ({ value: { tenant: sku > 2 ? 'b' : 'a', sku } }));
  const options = { rules, maxBatchSize: 2 };
  const { batches, isProved } = library.partition(rows, options);
  expect(batches.map((batch) => batch.map((row) => rows.indexOf(row as (typeof rows)[0])))).toEqual([
    [0, 2],
    [1],
    [3],
  ]);
  expect(isProved).toBe(true);
  expect(JSON.stringify(library.explainRecord(batches, rows[1], options))).toBe(
    JSON.stringify([{ batch: 0, why: 'rules', apartFrom: { record: rows[0], rules: [1] } }]),
  );
  expect(library.explainPartition(rows, options).summary.batches).toBe(3);
});
