import { writeFileSync } from 'node:fs';
import path from 'node:path';

const KILLED = ['Killed', 'Timeout'];
const UNNOTICED = ['Survived', 'NoCoverage'];

/**
 * Writes the score and whatever no test noticed, as Markdown, and prints the score.
 * @param results of Stryker
 */
export function writeReport(file, results, { area, command }) {
  const of = (...statuses) => results.filter(({ status }) => statuses.includes(status));
  const killed = of(...KILLED);
  const unnoticed = of(...UNNOTICED).sort(byPlace);
  const score = (100 * killed.length) / (killed.length + unnoticed.length);
  const summary =
    `${area}: ${killed.length + unnoticed.length} mutants, ${killed.length} killed ` +
    `(${of('Timeout').length} by a time-out), ${of('Survived').length} survived, ` +
    `${of('NoCoverage').length} not run by any test: ${score.toFixed(1)} %`;
  const lines = unnoticed.map(
    ({ fileName, location, mutatorName, replacement, status }) =>
      `- ${path.relative(process.cwd(), fileName)}:${location.start.line}:${location.start.column} ${mutatorName}` +
      `${status === 'NoCoverage' ? ' (not run)' : ''}: \`${oneLine(replacement)}\``,
  );
  writeFileSync(file, `# ${summary}\n\n\`${command}\`\n\n${lines.join('\n')}\n`);
  console.log(`${summary}\n${path.relative(process.cwd(), file)} lists what no test noticed`);
}

function byPlace(a, b) {
  return a.fileName === b.fileName
    ? a.location.start.line - b.location.start.line
    : a.fileName < b.fileName
      ? -1
      : 1;
}

function oneLine(text = '') {
  return text.replace(/\s+/g, ' ').slice(0, 160);
}
