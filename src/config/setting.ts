import type { Parser } from './parse';

/** One setting. Its texts are its documentation: `--help` shows the first, `docs/CONFIGURATION.md` all of them. */
export interface Setting<T> {
  /** Decides what is accepted, and describes it in words, including the bounds. */
  parser: Parser<T>;
  default: T;
  /** Another default if another setting has this value. */
  defaultIf?: { key: string; is: unknown; default: T };
  unit?: string;
  /** What it is. */
  about: string;
  /** How it relates to other settings, and where a bound comes from. */
  related?: string;
  /** What raising it costs. */
  raising?: string;
  /** The part of the value that may be shown, if not all of it. */
  show?(value: T): unknown;
}

/** Checks that the default has the parser's type. */
export function setting<T>(entry: Omit<Setting<T>, 'default'> & { default: NoInfer<T> }): Setting<T> {
  return entry;
}
