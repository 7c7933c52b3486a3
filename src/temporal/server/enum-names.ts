/** How Temporal's interfaces write the name of one of its enums' values: `KEYWORD_LIST` is `KeywordList` there. */
export function readableName(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
