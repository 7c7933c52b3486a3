import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nameOf } from './mutants.mjs';

/** How Stryker says that a test noticed. */
const KILLED = ['Killed', 'Timeout'];
const UNNOTICED = ['Survived', 'NoCoverage'];

/**
 * Writes the score and whatever no test noticed, as Markdown, and everything as JSON beside it; prints the score.
 * @param results of Stryker
 * @param before the report of an earlier run of which only what nobody noticed was tried again
 */
export function writeReport(file, results, { area, command, before }) {
  const judged = results
    .filter(({ status }) => KILLED.includes(status) || UNNOTICED.includes(status))
    .map((mutant) => ({ mutant: nameOf(mutant), status: mutant.status }));
  const again = new Set(judged.map(({ mutant }) => mutant));
  const all = [...(before ?? []).filter(({ mutant }) => !again.has(mutant)), ...judged];
  const of = (...statuses) => all.filter(({ status }) => statuses.includes(status));
  const [killed, unnoticed] = [of(...KILLED), of(...UNNOTICED)];
  const score = (100 * killed.length) / all.length;
  const summary =
    `${area}: ${all.length} mutants, ${killed.length} killed (${of('Timeout').length} by a time-out), ` +
    `${of('Survived').length} survived, ${of('NoCoverage').length} run by no test: ${score.toFixed(1)} %`;
  const lines = unnoticed
    .map(({ mutant, status }) => `- ${mutant}${status === 'NoCoverage' ? ' (run by no test)' : ''}`)
    .sort();
  writeFileSync(file, `# ${summary}\n\n\`${command}\`\n\n${lines.join('\n')}\n`);
  writeFileSync(jsonOf(file), JSON.stringify(all, null, 1));
  console.log(`${summary}\n${path.relative(process.cwd(), file)} lists what no test noticed`);
}

/** What an earlier run wrote beside its report. */
export function readReport(file) {
  return JSON.parse(readFileSync(jsonOf(file), 'utf8'));
}

/** Of these, what no test noticed. */
export function unnoticedIn(report) {
  return report.filter(({ status }) => UNNOTICED.includes(status)).map(({ mutant }) => mutant);
}

function jsonOf(file) {
  return file.replace(/(\.md)?$/, '.json');
}
