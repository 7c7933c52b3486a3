import { signal } from '@preact/signals';
import { nextTheme, shortcuts } from './preferences';
import { go, SCREENS } from './router';
import { isFrozen } from './source';

/** Whether the page of keys is open. */
export const isHelpOpen = signal(false);

/** How long a `g` waits for its letter. */
const CHORD_MS = 1500;

/** Single keys, unless somebody types, a dialog is open, or they are turned off. */
export function listenToKeys(): void {
  let chordUntilMs = 0;
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || shortcuts.value === 'off') return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest('input, textarea, select, dialog, [contenteditable]')) return;
    const chord = event.timeStamp < chordUntilMs;
    chordUntilMs = 0;
    const screen = chord ? SCREENS.find(({ key }) => key === event.key) : undefined;
    if (screen) go(screen.name);
    else if (event.key === 'g') chordUntilMs = event.timeStamp + CHORD_MS;
    else if (event.key === '/') goToField();
    else if (event.key === '?') isHelpOpen.value = true;
    else if (event.key === 't') nextTheme();
    else if (event.key === ' ' && !target.closest('button, a, summary')) isFrozen.value = !isFrozen.value;
    else if (event.key === 'j' || event.key === 'k') moveInList(event.key === 'j' ? 1 : -1);
    else return;
    event.preventDefault();
  });
}

/** The screen takes the focus to its field when it opens. */
function goToField(): void {
  const field = document.querySelector<HTMLInputElement>('#find');
  if (field) field.focus();
  else go('find');
}

/** To the next or the previous row of the list; what a row leads to is a link, so Enter opens it. */
function moveInList(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const at = rows.findIndex((row) => row === document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}
