import { MAX_CONTROL_NOTES, type ControlNote } from '../../../src/contracts/workflow/controls';
import type { LimitsPatch } from '../../../src/domain/limits';
import { cutToBytes } from '../../../src/domain/records/outcome';

/** Maximum length of a name and of a detail, because carried state is bounded. */
const MAX_TEXT_BYTES = 96;

/** Remembers an operator's action; keeps the latest {@link MAX_CONTROL_NOTES}. */
export function noteControl(controls: ControlNote[], { detail, by, ...note }: ControlNote): void {
  controls.push({
    ...note,
    by: cutToBytes(by, MAX_TEXT_BYTES),
    ...(detail !== undefined && { detail: cutToBytes(detail, MAX_TEXT_BYTES) }),
  });
  controls.splice(0, controls.length - MAX_CONTROL_NOTES);
}

/** A change of limits in one line; for rules, only their number. */
export function limitsInWords(patch: LimitsPatch): string {
  return Object.entries(patch)
    .map(([key, value]) => {
      if (value === null) return `${key} as configured`;
      return Array.isArray(value) ? `${key}: ${value.length} rules` : `${key}: ${String(value)}`;
    })
    .join(', ');
}

export function recordsInWords(records: number): string {
  return `${records} ${records === 1 ? 'record' : 'records'}`;
}
