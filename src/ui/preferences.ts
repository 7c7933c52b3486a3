import { effect, signal, type Signal } from '@preact/signals';

/** A choice that outlives the tab. */
function kept<T extends string>(name: string, initial: T): Signal<T> {
  const choice = signal((localStorage.getItem(`keepapart-${name}`) as T | null) ?? initial);
  effect(() => localStorage.setItem(`keepapart-${name}`, choice.value));
  return choice;
}

/** `system` follows the device. */
export const theme = kept<'system' | 'light' | 'dark'>('theme', 'system');
/** Whether single keys do something; people who dictate turn that off. */
export const shortcuts = kept<'on' | 'off'>('shortcuts', 'on');
/** Kept with what somebody does by hand, where no API key names them. */
export const operatorName = kept<string>('operator', '');

const dark = matchMedia('(prefers-color-scheme: dark)');
const deviceIsDark = signal(dark.matches);
dark.addEventListener('change', () => (deviceIsDark.value = dark.matches));

/** What is shown. */
export function isDark(): boolean {
  return theme.value === 'dark' || (theme.value === 'system' && deviceIsDark.value);
}

export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}

export function nextTheme(): void {
  theme.value = isDark() ? 'light' : 'dark';
}
