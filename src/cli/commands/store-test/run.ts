import { colours } from '../../terminal/colours';
import { isKeepapartError } from '../../../domain/errors';
import { jsonText } from '../../terminal/text';
import { CONTRACT } from '../../../store/testing/contract';
import { subjectOf, type ModuleUnderTest } from './subject';

interface Checked {
  title: string;
  passed: boolean;
  error?: string;
}

/**
 * Checks each clause of the contract in turn and prints what came of it.
 * @returns whether the store keeps all of them
 * @throws what opening the store fails with: then there is nothing to check
 */
export async function testStore(tested: ModuleUnderTest, { json }: { json?: boolean }): Promise<boolean> {
  const checked: Checked[] = [];
  let notChecked: string | undefined;
  for (const { title, check } of CONTRACT) {
    const subject = await subjectOf(tested);
    notChecked = missing(subject);
    try {
      await check(subject);
      checked.push({ title, passed: true });
    } catch (error) {
      checked.push({ title, passed: false, error: shown(error) });
    } finally {
      await subject.close();
    }
    const last = checked.at(-1);
    if (json !== true && last !== undefined) process.stdout.write(line(last));
  }
  const passed = checked.filter((one) => one.passed).length;
  if (json === true)
    process.stdout.write(jsonText({ passed, failed: checked.length - passed, notChecked, checked }));
  else {
    if (notChecked !== undefined) process.stdout.write(`\n${notChecked}\n`);
    process.stdout.write(`\n${passed} of ${checked.length} hold\n`);
  }
  return passed === checked.length;
}

function missing({ find, undoes }: { find?: unknown; undoes: boolean }): string | undefined {
  if (find === undefined)
    return 'Not checked: what the store really holds. For that, give it testing.find (docs/STORES.md).';
  return undoes ? undefined : 'Not checked: that what is rolled back is gone, as the store has no undo.';
}

/** What isn't so; of a bug of the store with its stack. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (isKeepapartError(error) && cause instanceof Error) return `${error.message}\n${cause.stack ?? ''}`;
  return error.message;
}

function line({ title, passed, error = '' }: Checked): string {
  if (passed) return `${colours.green('✓')} ${title}\n`;
  return `${colours.red('✗')} ${title}\n    ${error.replaceAll('\n', '\n    ')}\n`;
}
