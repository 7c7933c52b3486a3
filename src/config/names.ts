/** Prefix of every environment variable of this project. */
export const ENV_PREFIX = 'KEEPAPART_';

/** `httpPort` → `HTTP_PORT`: a setting's name in the documentation and in `keepapart.config.json`. */
export function settingName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** `httpPort` → `KEEPAPART_HTTP_PORT`. */
export function envName(key: string): string {
  return `${ENV_PREFIX}${settingName(key)}`;
}

/** `httpPort` → `--http-port`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}`;
}

/** The known name that was most likely meant, if any is similar; case, separators and our prefix don't count. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  const wanted = lettersOf(name);
  let best: string | undefined;
  // With a third of the letters wrong it may be a typo; with more it is another word.
  let bestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, lettersOf(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function lettersOf(name: string): string {
  const letters = name.toUpperCase();
  return (letters.startsWith(ENV_PREFIX) ? letters.slice(ENV_PREFIX.length) : letters).replace(
    /[^A-Z0-9]/g,
    '',
  );
}

/** Levenshtein distance: the number of characters to insert, delete or replace. One row of the table at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
