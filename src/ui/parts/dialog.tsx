import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CALLER_KNOWN } from '../api';
import type { Confirmation } from '../model/confirm';
import { operatorName } from '../preferences';
import { sayProblem } from './notices';

/** A modal dialog: Escape closes it, the focus stays inside and goes back where it was. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

/** Says in numbers what will happen, and does it on a button; what is dangerous wants a word typed first. */
export function Confirm({
  confirmation: { title, lines, verb, word },
  act,
  onClose,
}: {
  confirmation: Confirmation;
  act: (by: string) => Promise<unknown>;
  onClose: () => void;
}) {
  const typed = useSignal('');
  const isBusy = useSignal(false);
  const isReady = word === undefined || typed.value.trim().toLowerCase() === word;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!isReady || isBusy.value) return;
    isBusy.value = true;
    try {
      await act(operatorName.value.trim());
    } catch (error) {
      sayProblem(error);
    }
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        {lines.map((line) => (
          <p key={line}>{line}</p>
        ))}
        {word !== undefined && (
          <label class="field">
            <span>
              Type <b class="mono">{word}</b> to go on
            </span>
            <input
              autocomplete="off"
              autocapitalize="off"
              value={typed.value}
              onInput={(event) => (typed.value = event.currentTarget.value)}
            />
          </label>
        )}
        {!CALLER_KNOWN && (
          <label class="field">
            <span>Your name (it is recorded)</span>
            <input
              autocomplete="name"
              maxLength={100}
              placeholder="anonymous"
              value={operatorName.value}
              onInput={(event) => (operatorName.value = event.currentTarget.value)}
            />
          </label>
        )}
        <div class="row end">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            class={word === undefined ? 'primary' : 'primary danger'}
            disabled={!isReady || isBusy.value}
          >
            {isBusy.value ? 'Working…' : verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
