import type { WriteStream } from 'node:tty';
import type { StreamProgress } from '../../../client';
import { MINUTE, SECOND } from '../../../domain/duration';
import { progressLine } from '../../terminal/progress-line';
import { count, counted } from '../../../domain/format';
import type { ImportFile } from './import-file';
import { createPace, type Pace } from './pace';

/** How often it is told: on a terminal in place, elsewhere as a line of its own. */
const TELL_EVERY_MS = { terminal: 200, elsewhere: 5 * SECOND };
/** After how long without a record that is accepted the API is said to have no room. */
const WAITING_AFTER_MS = 5 * SECOND;
const BAR_LENGTH = 20;

/**
 * Shows what the API has accepted, how fast, and how long the rest may take. What was only sent says little: megabytes of
 * it may lie in the buffers of the connection.
 */
export function importProgress(stream: WriteStream, file: Pick<ImportFile, 'size' | 'position'>) {
  const line = progressLine(stream);
  const begunMs = performance.now();
  const state = createImportState(file.size);
  let timer: NodeJS.Timeout | undefined;

  function show(): void {
    const nowMs = performance.now();
    const { share, text } = state.at(nowMs);
    if (!stream.isTTY) stream.write(`keepapart: ${text}${percentOf(share)}\n`);
    else if (share === undefined) line.show({ message: text, elapsedMs: nowMs - begunMs });
    else line.show({ message: `${barOf(share)} ${text}`, share, elapsedMs: nowMs - begunMs });
  }

  return {
    sent(sent: StreamProgress): void {
      state.sent(sent.records, file.position());
      timer ??= setInterval(show, stream.isTTY ? TELL_EVERY_MS.terminal : TELL_EVERY_MS.elsewhere).unref();
    },
    accepted: (records: number): void => state.accepted(records, performance.now()),
    /** Until something is sent again. */
    end(): void {
      clearInterval(timer);
      timer = undefined;
      line.end();
    },
  };
}

/** How far an import is. `size` of the file in bytes, where it is known. */
export function createImportState(size: number | undefined) {
  const pace = createPace();
  let sent = { records: 0, bytes: 0 };
  let accepted: { records: number; atMs: number } | undefined;

  /** How much of the file is accepted. How many records it has is known when all are sent, and estimated until then. */
  function shareOf(records: number): number | undefined {
    if (size === undefined || sent.records === 0) return undefined;
    const all = (sent.records * size) / sent.bytes;
    return Math.min(1, records / all);
  }

  return {
    /** Records, and bytes of the file, that were handed to the connection. */
    sent(records: number, bytes: number): void {
      sent = { records, bytes };
    },
    accepted(records: number, atMs: number): void {
      if (accepted?.records !== records) accepted = { records, atMs };
    },
    at(nowMs: number): { share: number | undefined; text: string } {
      if (accepted === undefined)
        return { share: undefined, text: `${counted(sent.records, 'record')} sent` };
      const { records, atMs } = accepted;
      const share = shareOf(records);
      const going = pace.at({ atMs: nowMs, records, share });
      const isWaiting = sent.records > records && nowMs - atMs >= WAITING_AFTER_MS;
      const how = isWaiting ? ', waiting for room' : textOf(going);
      return { share, text: `${counted(records, 'record')} accepted${how}` };
    },
  };
}

function barOf(share: number): string {
  const full = Math.round(share * BAR_LENGTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_LENGTH - full)}`;
}

function percentOf(share: number | undefined): string {
  return share === undefined ? '' : ` (${Math.floor(share * 100)} %)`;
}

function textOf(pace: Pace | undefined): string {
  if (pace === undefined) return '';
  const rate = `, ${count(Math.round(pace.recordsPerSecond))}/s`;
  return pace.leftMs === undefined ? rate : `${rate}, ${durationOf(pace.leftMs)} left`;
}

/** `14.2 s`, or `3 min 20 s`. */
export function durationOf(ms: number): string {
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
}
