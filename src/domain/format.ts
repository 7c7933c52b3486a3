import { DAY, HOUR, KIB, MINUTE, SECOND } from './duration';

/* How figures read. Always in English and in the same width, so that columns line up and nothing jumps. */

const WHOLE = new Intl.NumberFormat('en-US');

/** `1,204`; with one digit behind the point below ten that isn't whole: `0.4`. */
export function count(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : WHOLE.format(Math.round(value));
}

/** `1 record`, `1,204 records`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${value === 1 ? noun : pluralOf(noun)}`;
}

function pluralOf(noun: string): string {
  if (noun.endsWith('y')) return `${noun.slice(0, -1)}ies`;
  return noun.endsWith('ch') ? `${noun}es` : `${noun}s`;
}

/** `250 ms`, `0.4 s`, `4 min`, `2.5 h`; the unit that a person would choose. */
export function duration(ms: number): string {
  if (ms < SECOND / 10) return `${Math.round(ms)} ms`;
  if (ms < 2 * MINUTE) return `${oneDigit(ms / SECOND)} s`;
  if (ms < 2 * HOUR) return `${oneDigit(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${oneDigit(ms / HOUR)} h` : `${oneDigit(ms / DAY)} days`;
}

function oneDigit(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : count(Math.round(value));
}

/** `310 B`, `12 KiB`, `1.4 MiB`. */
export function bytes(value: number): string {
  if (value < KIB) return `${count(value)} B`;
  return value < KIB * KIB ? `${oneDigit(value / KIB)} KiB` : `${oneDigit(value / KIB / KIB)} MiB`;
}

/** `73 %`; a share that isn't known is a dash. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}

/** `12:00:01`, on the clock of whoever looks. */
export function clock(at: number | string): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** `3 s ago`, `now`. */
export function ago(at: number | string, nowMs: number): string {
  const ms = nowMs - new Date(at).getTime();
  return ms < SECOND ? 'now' : `${duration(Math.floor(ms / SECOND) * SECOND)} ago`;
}

/** A JSON value in one line, shortened where it is long. */
export function shortJson(value: unknown, most = 60): string {
  const text = JSON.stringify(value);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
