/** The release of Temporal's CLI that is downloaded or built: the newest that builds as a plain Go module. */
export const CLI_VERSION = '1.5.1';

/** The Temporal server inside that release. */
export const CLI_SERVER_VERSION = '1.29.1';

/** The oldest server that is tested; an older `temporal` on PATH is skipped. */
export const OLDEST_SERVER_VERSION = '1.29.0';

/** The Go version in the go.mod of {@link CLI_VERSION}. */
export const OLDEST_GO_VERSION = '1.25';

/** `1.29` for `1.29.1`: servers of the same minor version share a database schema. */
export function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** Whether `version` is `oldest` or newer; both are `major.minor.patch`. */
export function isAtLeast(version: string, oldest: string): boolean {
  const left = version.split('.').map(Number);
  const right = oldest.split('.').map(Number);
  for (let i = 0; i < right.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
