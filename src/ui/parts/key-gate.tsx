import { useSignal } from '@preact/signals';
import { keepKey } from '../api';
import { trouble } from '../source';

/** Asks for an API key. It stays in this tab and is sent with each request; no cookie is set. */
export function KeyGate() {
  const typed = useSignal('');
  const wasRefused = trouble.value?.problem.code === 'unauthorized';
  const submit = (event: Event) => {
    event.preventDefault();
    const key = typed.value.trim();
    if (/^[\x21-\x7e]+$/.test(key)) keepKey(key);
  };
  return (
    <main id="main" tabIndex={-1} class="gate">
      <form class="stack card" onSubmit={submit}>
        <h1>This keepapart requires an API key</h1>
        <p class="dim">It is kept in this tab only, until the tab is closed.</p>
        <label class="field">
          <span>API key</span>
          <input
            type="password"
            autocomplete="off"
            value={typed.value}
            aria-invalid={wasRefused}
            aria-describedby="key-refused"
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </label>
        <p id="key-refused" class="bad" role="alert">
          {wasRefused ? 'This key is not valid.' : ''}
        </p>
        <button type="submit" class="primary" disabled={typed.value.trim() === ''}>
          Open the dashboard
        </button>
      </form>
    </main>
  );
}
