import type { StatusView } from '../../contracts/api/answers/status';
import { count, counted } from '../../domain/format';

/** What an operator can do to everything at once. */
export type Control = 'pause' | 'resume' | 'flush' | 'drain';

/** What a dialog says before anything happens. */
export interface Confirmation {
  title: string;
  /** What will happen, in numbers; one sentence each. */
  lines: string[];
  /** On the button. */
  verb: string;
  /** What has to be typed first, where it can't be taken back or costs much. */
  word?: string;
}

/** What a control would do now. */
export function confirmationOf(control: Control, { total, shards, settings }: StatusView): Confirmation {
  const buffered = counted(total.bufferedRecords, 'record');
  const inFlight = counted(total.inFlight, 'batch');
  const batches = counted(Math.ceil(total.bufferedRecords / settings.maxBatchSize), 'batch');
  const atLeast =
    total.bufferedRecords === 0 ? 'Nothing is buffered.' : `${buffered} go in at least ${batches}.`;
  switch (control) {
    case 'pause':
      return {
        title: 'Pause batches?',
        lines: [
          `${capital(inFlight)} in flight ${total.inFlight === 1 ? 'ends' : 'end'} as usual; no other starts.`,
          `${capital(buffered)} ${total.bufferedRecords === 1 ? 'waits' : 'wait'} until somebody resumes, and new ones are accepted until the buffer is full.`,
        ],
        verb: 'Pause',
      };
    case 'resume':
      return {
        title: 'Resume batches?',
        lines: [
          atLeast,
          `At most ${counted(settings.maxInFlight * shards.length, 'batch')} are in flight at once.`,
        ],
        verb: 'Resume',
      };
    case 'flush':
      return {
        title: 'Flush the buffer now?',
        lines: [atLeast, 'Batches that aren’t full start partly filled; the rules still apply.'],
        verb: 'Flush',
      };
    case 'drain':
      return {
        title: 'Drain everything?',
        lines: [
          atLeast,
          `${capital(counted(total.inFlightRecords, 'record'))} in ${inFlight} ${total.inFlight === 1 ? 'is' : 'are'} waited for as well, for up to 30 seconds here; the drain itself goes on after that.`,
        ],
        verb: 'Drain',
        word: 'drain',
      };
  }
}

/** Before dead letters are sent again. */
export function confirmationOfRedrive(number: number | 'all', what: string): Confirmation {
  const subject =
    number === 'all' ? 'Every dead letter that hasn’t been sent again' : counted(number, 'dead letter');
  return {
    title: number === 'all' ? 'Redrive everything that matches?' : `Redrive ${subject}?`,
    lines: [
      `${subject} ${what} ${number === 1 ? 'is' : number === 'all' ? 'is' : 'are'} sent again as a new request, once for ever.`,
      'The rules apply to them as to any other record.',
    ],
    verb: number === 'all' ? 'Redrive all' : `Redrive ${count(number)}`,
    ...(number === 'all' && { word: 'redrive' }),
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
