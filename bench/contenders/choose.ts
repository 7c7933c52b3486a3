import { CONTENDERS, type Contender } from './contenders';
import { NotHere } from './installs';

/**
 * The contenders that these names choose and that can be run here; for the others the reason goes to stderr. Names are
 * separated by commas that no space follows. A whole name chooses that contender, a part of one all whose names have it.
 * @throws Error when a name chooses none
 */
export async function preparedContenders(names: string): Promise<Contender[]> {
  const chosen = new Set(names.split(/,(?! )/).flatMap(contendersNamed));
  const ready: Contender[] = [];
  for (const contender of CONTENDERS) {
    if (!chosen.has(contender)) continue;
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

function contendersNamed(given: string): readonly Contender[] {
  const wanted = given.trim().toLowerCase();
  const whole = CONTENDERS.filter(({ name }) => name.toLowerCase() === wanted);
  const found =
    whole.length > 0 ? whole : CONTENDERS.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (found.length === 0) throw new Error(`no contender is called ${given}`);
  return found;
}
