/** The name of an enum value as Temporal's UIs write it: `KEYWORD_LIST` becomes `KeywordList`. */
export function readableName(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
