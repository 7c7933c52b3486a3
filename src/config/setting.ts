import type { Parser } from './parse';

/** One setting. The texts are its documentation: `--help` shows the first, `docs/CONFIGURATION.md` all of them. */
export interface Setting<T> {
  /** Decides what is accepted and says so in words, bounds included. */
  parser: Parser<T>;
  default: T;
  /** Another default, where another setting has this value. */
  defaultIf?: { key: string; is: unknown; default: T };
  unit?: string;
  /** What it is. */
  about: string;
  /** How it hangs together with other settings, and where a bound comes from. */
  related?: string;
  /** What raising it costs. */
  raising?: string;
  /** What may be shown of the value, where that is not all of it. */
  show?(value: T): unknown;
}

/** Checks that the default is of the type that the parser gives. */
export function setting<T>(entry: Omit<Setting<T>, 'default'> & { default: NoInfer<T> }): Setting<T> {
  return entry;
}
