/** Flags that several commands have, as commander takes them. */
export const AS_JSON = ['--json', 'as JSON'] as const;
export const BY = ['--by <name>', 'your name, for the history'] as const;
