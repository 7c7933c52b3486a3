import { useSignal } from '@preact/signals';
import type { CutsView } from '../../contracts/api/answers/status';
import { SECOND } from '../../domain/duration';
import { confirmationOf, type Control } from '../model/confirm';
import { bytes, count, percent } from '../../domain/format';
import { meanOf } from '../../contracts/api/live-points';
import { sentenceOf } from '../../contracts/api/sentence';
import { Confirm } from '../parts/dialog';
import { say } from '../parts/notices';
import { Waiting } from '../parts/waiting';
import { Empty, Stat } from '../parts/bits';
import { control, isStale, may, points, reading, waits } from '../source';
import { FirstMinute, isOnItsWay } from './first-minute';
import { Plots } from './plots';
import { Shards } from './shards';

const RATE_MS = 10 * SECOND;

export function NowScreen() {
  const now = reading.value;
  if (now === undefined)
    return (
      <Empty isPage title="Waiting for the first answer">
        {<p>The data appears as soon as a worker answers.</p>}
      </Empty>
    );
  const { total, shards, settings } = now.status;
  const sentence = sentenceOf(now, points.value, waits.value);
  const isNew = total.counters.accepted === 0;
  return (
    <>
      <section class="hero" data-mood={sentence.mood} aria-label="How it is">
        <h1>
          <i aria-hidden="true" />
          {isStale.value ? `Last known: ${sentence.head}` : sentence.head}
        </h1>
        <p>{sentence.text}.</p>
        {may('operate') && <Controls />}
      </section>
      {(isNew || isOnItsWay.value) && <FirstMinute isNew={isNew} />}
      {!isNew && <Flow />}
      {total.bufferedRecords > 0 && <Waiting />}
      {!isNew && <Plots />}
      {shards.length > 1 && <Shards shards={shards} maxInFlight={settings.maxInFlight} />}
    </>
  );
}

/** The way of all records, from left to right. */
function Flow() {
  const now = reading.value;
  if (now === undefined) return null;
  const { total, settings, shards } = now.status;
  const { counters, cuts } = total;
  const rate = (field: 'accepted' | 'saved' | 'rolledBack') => {
    const mean = meanOf(points.value, field, RATE_MS);
    return mean === null ? '' : `${count(mean)}/s`;
  };
  return (
    <dl class="flow card">
      <Stat label="Accepted" value={count(counters.accepted)} note={rate('accepted')} colour="accepted" />
      <Stat
        label="Buffered"
        value={count(total.bufferedRecords)}
        note={bytes(total.bufferedBytes)}
        colour="wait"
      />
      <Stat
        label="In flight"
        value={count(total.inFlightRecords)}
        note={`${count(total.inFlight)} of ${count(settings.maxInFlight * shards.length)} batches`}
        colour="flight"
      />
      <Stat label="Saved" value={count(counters.saved)} note={rate('saved')} colour="saved" />
      <Stat label="Rolled back" value={count(counters.rolledBack)} note={rate('rolledBack')} colour="lost" />
      <Stat label="Fill" value={percent(cuts.fillRatio)} note={overTheFewest(cuts)} />
    </dl>
  );
}

/** How many batches more than the fewest possible. */
function overTheFewest({ batches, lowerBound }: CutsView): string {
  if (batches === 0) return 'no batch yet';
  const over = (batches - lowerBound) / Math.max(1, lowerBound);
  return over < 0.005 ? 'the fewest batches' : `${percent(over)} over the fewest`;
}

const NAMES: Record<Control, string> = { pause: 'Pause', resume: 'Resume', flush: 'Flush', drain: 'Drain' };

function Controls() {
  const asked = useSignal<Control | undefined>(undefined);
  const status = reading.value?.status;
  if (status === undefined) return null;
  const controls: Control[] = [status.total.paused ? 'resume' : 'pause', 'flush', 'drain'];
  return (
    <div class="row controls">
      {controls.map((name) => (
        <button
          type="button"
          class={name === 'resume' ? 'primary' : ''}
          key={name}
          onClick={() => (asked.value = name)}
        >
          {NAMES[name]}
        </button>
      ))}
      {asked.value && (
        <Confirm
          confirmation={confirmationOf(asked.value, status)}
          act={async (by) => say(await control(asked.peek() ?? 'flush', by))}
          onClose={() => (asked.value = undefined)}
        />
      )}
    </div>
  );
}
