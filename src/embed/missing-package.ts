/**
 * The optional package that an error says is not installed.
 * @param prefix what the names of the packages in question begin with
 * @returns undefined if the error says something else
 */
export function missingPackage(error: unknown, prefix: string): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(String(error.code))) return undefined;
  const named = [...error.message.matchAll(/@[\w-]+\/[\w-]+/g)].map(([name]) => name);
  return named.find((name) => name.startsWith(prefix));
}
