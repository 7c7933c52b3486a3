import { isHelpOpen } from '../keyboard';
import { shortcuts } from '../preferences';
import { SCREENS } from '../router';
import { Dialog } from './dialog';

const KEYS: readonly (readonly [string, string])[] = [
  ...SCREENS.map(({ key, title }) => [`g ${key}`, title] as const),
  ['/', 'Find anything'],
  ['j k', 'Next and previous row; Enter opens it'],
  ['space', 'Freeze or resume the page'],
  ['t', 'Switch light or dark'],
  ['?', 'This page'],
];

export function Help() {
  if (!isHelpOpen.value) return null;
  const close = () => (isHelpOpen.value = false);
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <div class="row between">
        <label class="check">
          <input
            type="checkbox"
            checked={shortcuts.value === 'on'}
            onChange={(event) => (shortcuts.value = event.currentTarget.checked ? 'on' : 'off')}
          />
          Single keys do something
        </label>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
