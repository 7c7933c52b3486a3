// Lints [{ file, code }] from standard input as if each code stood in that file, and prints [[message]], without the
// rules that need types: those would make TypeScript load the project for every snippet.
import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';

const LAYERING = [
  'import-x/no-restricted-paths',
  '@typescript-eslint/no-restricted-imports',
  '@typescript-eslint/no-require-imports',
  '@typescript-eslint/consistent-type-imports',
  'no-restricted-properties',
  'layers/no-dynamic-import',
];

const eslint = new ESLint({
  ruleFilter: ({ ruleId }) => LAYERING.includes(ruleId),
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false } },
  },
});

const results = [];
for (const { file, code } of JSON.parse(await text(process.stdin))) {
  const [result] = await eslint.lintText(code, { filePath: file, warnIgnored: true });
  results.push(result.messages.map(({ message }) => message));
}
process.stdout.write(JSON.stringify(results));
