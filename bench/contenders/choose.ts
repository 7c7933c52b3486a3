import { CONTENDERS, type Contender } from './contenders';
import { NotHere } from './installs';

/**
 * The contenders whose names contain one of these parts, separated by commas, and that can be run here; for the others
 * it is said why not.
 */
export async function preparedContenders(only: string): Promise<Contender[]> {
  const parts = only.split(',').map((part) => part.trim().toLowerCase());
  const ready: Contender[] = [];
  for (const contender of CONTENDERS) {
    if (!parts.some((part) => contender.name.toLowerCase().includes(part))) continue;
    try {
      await contender.prepare();
      ready.push(contender);
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      process.stderr.write(`skipped: ${contender.name}: ${error.message.trim()}\n`);
    }
  }
  return ready;
}
