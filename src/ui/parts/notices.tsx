import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemOf, type ApiProblem } from '../api';
import { isStale } from '../source';

/** What an action has come to. */
interface Notice {
  text: string;
  isBad: boolean;
}

const notice = signal<Notice | undefined>(undefined);

/** Long enough to be read; a screen reader hears it at once. */
const SHOWN_MS = 8000;

export function say(text: string): void {
  notice.value = { text, isBad: false };
}

export function sayProblem(error: unknown): void {
  notice.value = { text: problemOf(error).lines.join('\n'), isBad: true };
}

/** Something is asked for; what needs a worker is waited for in vain where none answers. */
export function Reading() {
  return <p class="dim">{isStale.value ? 'No answer; the reason is above.' : 'Reading…'}</p>;
}

/** Why something could not be read. */
export function Problem({ problem }: { problem: ApiProblem | undefined }) {
  return (
    problem && (
      <p class="bad" role="alert">
        {problem.message}
      </p>
    )
  );
}

export function Notices() {
  const shown = notice.value;
  useEffect(() => {
    if (shown === undefined || shown.isBad) return;
    const timer = setTimeout(() => (notice.value = undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown && (
        <p class={shown.isBad ? 'notice bad' : 'notice'}>
          {shown.text}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => (notice.value = undefined)}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
