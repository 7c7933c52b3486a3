import type { WriteStream } from 'node:tty';
import { SECOND } from '../../domain/duration';
import type { BinaryProgress } from '../../temporal/embedded/binary';

/** Elsewhere than on a terminal, a count that goes up is told this often. */
const TELL_EVERY_MS = 10 * SECOND;

/** Shows what takes long: on a terminal as one line that changes, elsewhere as a line now and then. */
export function progressLine(stream: WriteStream) {
  let open = false;
  let tellAtMs = 0;
  return {
    show: ({ message, share, elapsedMs }: Omit<BinaryProgress, 'phase'>): void => {
      const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
      if (stream.isTTY) {
        const line = `keepapart: ${message}${percent} (${Math.floor(elapsedMs / 1000)} s)`;
        stream.write(`\r${line.slice(0, stream.columns - 1)}\x1b[K`);
        open = true;
      } else if (share === undefined || elapsedMs >= tellAtMs) {
        stream.write(`keepapart: ${message}${percent}\n`);
        tellAtMs = elapsedMs + TELL_EVERY_MS;
      }
    },
    end: (): void => {
      if (open) stream.write('\r\x1b[K');
      open = false;
    },
  };
}
