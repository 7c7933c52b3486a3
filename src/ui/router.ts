import { computed, signal } from '@preact/signals';

/** The screens, in the order of the navigation, each with the letter behind `g`. */
export const SCREENS = [
  { name: 'now', title: 'Now', key: 'n' },
  { name: 'batches', title: 'Batches', key: 'b' },
  { name: 'conflicts', title: 'Conflicts', key: 'c' },
  { name: 'find', title: 'Find', key: 'f' },
  { name: 'dead-letters', title: 'Dead letters', key: 'd' },
  { name: 'workers', title: 'Workers', key: 'w' },
  { name: 'limits', title: 'Audit and limits', key: 'l' },
  { name: 'activity', title: 'Activity', key: 'a' },
] as const;
export type ScreenName = (typeof SCREENS)[number]['name'];

const hash = signal(location.hash);
addEventListener('hashchange', () => (hash.value = location.hash));

/** The screen, and what it shows: `#/batches/<id>`. */
export const route = computed((): { screen: ScreenName; id: string } => {
  const [name = '', ...rest] = hash.value.replace(/^#\/?/, '').split('/');
  const screen = SCREENS.find((each) => each.name === name)?.name ?? 'now';
  return { screen, id: decoded(rest.join('/')) };
});

export function pathTo(screen: ScreenName, id = ''): string {
  return `#/${screen}${id === '' ? '' : `/${encodeURIComponent(id)}`}`;
}

export function go(screen: ScreenName, id = ''): void {
  location.hash = pathTo(screen, id);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
