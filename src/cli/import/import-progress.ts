import type { WriteStream } from 'node:tty';
import type { StreamProgress } from '../../client';
import { MINUTE, SECOND } from '../../domain/duration';
import { progressLine } from '../progress-line';
import { count } from '../table';
import type { ImportFile } from './import-file';
import { createPace, type Pace } from './pace';

/** How often it is told: on a terminal in place, elsewhere as a line of its own. */
const TELL_EVERY_MS = { terminal: 100, elsewhere: 5 * SECOND };
const BAR_LENGTH = 20;

/** Shows what was sent, how fast, and how long it may still take. What is durable is known only at the end. */
export function importProgress(stream: WriteStream, file: ImportFile) {
  const line = progressLine(stream);
  const everyMs = stream.isTTY ? TELL_EVERY_MS.terminal : TELL_EVERY_MS.elsewhere;
  const begunMs = performance.now();
  const pace = createPace();
  let toldMs = begunMs;
  return {
    show({ records }: StreamProgress): void {
      const nowMs = performance.now();
      if (nowMs - toldMs < everyMs) return;
      toldMs = nowMs;
      const share = file.size === undefined ? undefined : file.position() / file.size;
      const message = `${count(records)} records sent${textOf(pace.at({ atMs: nowMs, records, share }))}`;
      if (!stream.isTTY) stream.write(`keepapart: ${message}${percentOf(share)}\n`);
      else if (share === undefined) line.show({ message, elapsedMs: nowMs - begunMs });
      else line.show({ message: `${barOf(share)} ${message}`, share, elapsedMs: nowMs - begunMs });
    },
    end: () => line.end(),
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
