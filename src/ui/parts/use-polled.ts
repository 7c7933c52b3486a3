import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { problemOf, type ApiProblem } from '../api';
import { isFrozen } from '../source';

/** Something that is read again and again while it is shown. What was read last stays when a later look fails. */
export interface Polled<T> {
  value: Signal<T | undefined>;
  problem: Signal<ApiProblem | undefined>;
  /** Looks at once. */
  again: () => void;
}

/** @param key what is read; when it changes, what was read before is dropped */
export function usePolled<T>(key: string, read: () => Promise<T>, everyMs: number): Polled<T> {
  const value = useSignal<T | undefined>(undefined);
  const problem = useSignal<ApiProblem | undefined>(undefined);
  const round = useSignal(0);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (isFirst: boolean) => {
      if (isFirst || (!document.hidden && !isFrozen.value)) {
        try {
          const next = await read();
          if (isOver) return;
          value.value = next;
          problem.value = undefined;
        } catch (error) {
          if (isOver) return;
          problem.value = problemOf(error);
          // An API that has no such call won't get one while the page is open.
          if (problem.value.code === 'not-found') return;
        }
      }
      timer = setTimeout(() => void look(false), everyMs);
    };
    void look(true);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key, everyMs, round.value]);
  useEffect(
    () => () => {
      value.value = undefined;
    },
    [key],
  );
  return { value, problem, again: () => (round.value += 1) };
}
