import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { factOf, keepKey, KEYS_REQUIRED, MOUNT } from './api';
import { isHelpOpen } from './keyboard';
import { clock } from '../domain/format';
import { Help } from './parts/help';
import { KeyGate } from './parts/key-gate';
import { Notices } from './parts/notices';
import { isDark, nextTheme } from './preferences';
import { pathTo, route, SCREENS, type ScreenName } from './router';
import { ActivityScreen } from './screens/activity';
import { BatchesScreen } from './screens/batches';
import { ConflictsScreen } from './screens/conflicts';
import { DeadLettersScreen } from './screens/dead-letters';
import { FindScreen } from './screens/find';
import { LimitsScreen } from './screens/limits';
import { NowScreen } from './screens/now';
import { WorkersScreen } from './screens/workers';
import { isFrozen, isPolling, isStale, keyName, may, needsKey, reading, trouble } from './source';

const CONTENT: Record<ScreenName, () => ComponentChildren> = {
  now: NowScreen,
  batches: BatchesScreen,
  conflicts: ConflictsScreen,
  find: FindScreen,
  'dead-letters': DeadLettersScreen,
  workers: WorkersScreen,
  limits: LimitsScreen,
  activity: ActivityScreen,
};

export function App() {
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        Skip to content
      </a>
      <div class="shell">
        <Side />
        {needsKey.value ? <KeyGate /> : <Main />}
      </div>
      <Help />
      <Notices />
    </>
  );
}

/** The screen; when it changes, its heading gets the focus, so that whoever can't see it hears where they are. */
function Main() {
  const { screen } = route.value;
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${SCREENS.find(({ name }) => name === screen)?.title ?? ''} · keepapart`;
    if (!isFirst.current && main.current?.contains(document.activeElement) === false) main.current.focus();
    isFirst.current = false;
    // On a phone the navigation is wider than the screen.
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [screen]);
  const Content = CONTENT[screen];
  return (
    <main id="main" tabIndex={-1} ref={main} data-stale={isStale.value && reading.value !== undefined}>
      <Connection />
      {may('read') ? <Content /> : <NotReadable />}
    </main>
  );
}

function Side() {
  const { screen } = route.value;
  return (
    <header class="side">
      <a class="brand" href={pathTo('now')} aria-label="keepapart, now">
        <svg viewBox="0 0 28 16" aria-hidden="true">
          <circle cx="6" cy="8" r="5" />
          <path d="M14 1v14" />
          <circle cx="22" cy="8" r="5" />
        </svg>
        keepapart
      </a>
      <nav aria-label="Screens">
        {SCREENS.map(({ name, title, key }) => (
          <a href={pathTo(name)} aria-current={name === screen ? 'page' : undefined} key={name}>
            {title}
            <kbd aria-hidden="true">g {key}</kbd>
          </a>
        ))}
      </nav>
      <div class="side-foot">
        <Clock />
        <div class="row tight">
          <button
            type="button"
            class="quiet"
            onClick={nextTheme}
            aria-label={isDark() ? 'Light colours' : 'Dark colours'}
          >
            {isDark() ? 'Light' : 'Dark'}
          </button>
          <button type="button" class="quiet" onClick={() => (isHelpOpen.value = true)}>
            Keys
          </button>
          {KEYS_REQUIRED && !needsKey.value && (
            <button type="button" class="quiet" onClick={() => keepKey('')}>
              Forget key
            </button>
          )}
        </div>
        <p class="dim small">
          {keyName.value === '' ? '' : `${keyName.value} · `}
          <a href={`${MOUNT}/docs`}>API</a> · {factOf('version')}
        </p>
      </div>
    </header>
  );
}

/** Whether the picture is live; a button that stops it. */
function Clock() {
  const at = reading.value?.atMs;
  const state = isFrozen.value ? 'stopped' : isStale.value ? 'broken' : at === undefined ? 'waiting' : 'live';
  const broken = at === undefined ? 'No answer' : 'As of';
  const text = {
    stopped: 'Stopped',
    broken,
    waiting: 'Connecting',
    live: isPolling.value ? 'Polling' : 'Live',
  }[state];
  return (
    <button
      type="button"
      class="clock"
      data-state={state}
      aria-pressed={isFrozen.value}
      title="Stop or go on (space bar)"
      onClick={() => (isFrozen.value = !isFrozen.value)}
    >
      <i aria-hidden="true" />
      {text} {at !== undefined && <time>{clock(at)}</time>}
    </button>
  );
}

/** Why the picture is not of now. */
function Connection() {
  const broken = trouble.value;
  if (broken === undefined || broken.problem.code === 'forbidden') return null;
  const at = reading.value?.atMs;
  return (
    <div class="banner" role="status">
      <strong>{at === undefined ? 'No data yet.' : `As of ${clock(at)}.`}</strong> {broken.problem.message}.
      Trying again every second.
    </div>
  );
}

function NotReadable() {
  return (
    <div class="empty">
      <h1>This key may not read</h1>
      <p>
        It can send records or operate, but what became of them is not shown to it. Use a key with the right
        “read”.
      </p>
      <button type="button" onClick={() => keepKey('')}>
        Use another key
      </button>
    </div>
  );
}

function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
