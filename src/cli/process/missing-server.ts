/**
 * What to do about an error that says that a package of the server isn't installed: the package `keepapart` alone brings
 * only what a client needs.
 * @returns undefined if the error says something else, such as that a file of ours is missing
 */
export function missingServer(error: unknown): string | undefined {
  // By shape: a test runner has a realm, and so an `Error`, of its own.
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const [, name] = /^Cannot find (?:module|package) '([^'./][^']*)'/.exec(String(message)) ?? [];
  if (name === undefined) return undefined;
  return `this needs ${name}, which only servers have installed: npm install keepapart-server`;
}
