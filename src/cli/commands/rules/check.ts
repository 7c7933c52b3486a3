import type { ConflictRule } from '../../../domain/rules';
import { coveredRules } from '../../../domain/rules/covered-rules';
import { isKeepapartError, type KeepapartError } from '../../../domain/errors';
import type { FieldProblem } from '../../../domain/field-problems';
import { counted } from '../../../domain/format';
import { readConfig } from '../../process/read-config';
import { EXIT } from '../../process/report-failure';
import { print } from '../../terminal/text';
import { readDocument } from './read-document';
import { asRules, problemsOf, ruleText, writtenRules, wrongRules, type WrittenRules } from './read-rules';

type Flags = Readonly<Record<string, unknown>>;

/** Rules that were looked for, with what is wrong with them. */
interface Checked extends WrittenRules {
  source: string;
  problems: readonly FieldProblem[];
}

/**
 * `keepapart rules check`: whether rules can be used, and which of them could be left out.
 * Throws `invalid-config` with each rule that has to be changed; with `--json` they are told and the exit code is given.
 */
export async function checkRules(file: string | undefined, flags: Flags): Promise<number> {
  const checked = file === undefined ? await inForce(flags) : await ofFile(file);
  const { source, rules, problems } = checked;
  const covered = problems.length > 0 ? [] : coveredRules(rules as unknown as ConflictRule[]);
  if (flags['json'] !== true && problems.length > 0) throw wrongRules(source, checked, problems);
  print(flags, { source, rules, problems, covered }, () => {
    const all = rules as unknown as ConflictRule[];
    return [
      `${counted(all.length, 'rule')} of ${source}, nothing that has to be changed.`,
      ...all.map((rule, index) => `  ${index + 1}  ${ruleText(rule)}`),
      ...covered.map(
        ({ rule, by }) => `Rule ${rule + 1} could be left out: rule ${by + 1} keeps apart all that it does.`,
      ),
      '',
    ].join('\n');
  });
  return problems.length > 0 ? EXIT.wrong : 0;
}

async function ofFile(source: string): Promise<Checked> {
  const written = await writtenRules(source);
  return { source, ...written, problems: problemsOf(written) };
}

async function inForce(flags: Flags): Promise<Checked> {
  try {
    const { config, sources } = readConfig(flags);
    const source = `CONFLICTS (${sources.conflicts})`;
    return { source, rules: config.conflicts as unknown as WrittenRules['rules'], at: '', problems: [] };
  } catch (error) {
    const found = isKeepapartError(error) ? await amongSettings(error, flags) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** The rules that a configuration was refused for; `undefined` when it was refused for something else. */
async function amongSettings({ problems }: KeepapartError, flags: Flags): Promise<Checked | undefined> {
  const [, source, path] =
    /^(KEEPAPART_CONFLICTS|--conflicts|CONFLICTS)(?:\/\S*)?(?: in (.+))?$/.exec(
      problems.find(({ field }) => /^(KEEPAPART_|--)?conflicts\b/i.test(field))?.field ?? '',
    ) ?? [];
  if (source === undefined) return undefined;
  if (path !== undefined) {
    const written = {
      rules: asRules(((await readDocument(path)) as Record<string, unknown>)[source]),
      at: '',
    };
    return { source: `${source} in ${path}`, ...written, problems: problemsOf(written) };
  }
  const raw = source.startsWith('--') ? flags['conflicts'] : process.env[source];
  const written = { rules: asRules(raw), at: '' };
  return { source, ...written, problems: problemsOf(written) };
}
