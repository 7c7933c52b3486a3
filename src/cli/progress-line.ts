import type { WriteStream } from 'node:tty';
import type { BinaryProgress } from '../temporal/embedded/binary';

/** Shows what takes long: on a terminal as one line that changes, elsewhere as a line per message. */
export function progressLine(stream: WriteStream) {
  let open = false;
  let last = '';
  return {
    show: ({ message, share, elapsedMs }: BinaryProgress): void => {
      const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
      if (stream.isTTY) {
        const line = `keepapart: ${message}${percent} (${Math.floor(elapsedMs / 1000)} s)`;
        stream.write(`\r${line.slice(0, stream.columns - 1)}\x1b[K`);
        open = true;
      } else if (message !== last) {
        stream.write(`keepapart: ${message}${percent}\n`);
        last = message;
      }
    },
    end: (): void => {
      if (open) stream.write('\r\x1b[K');
      open = false;
    },
  };
}
