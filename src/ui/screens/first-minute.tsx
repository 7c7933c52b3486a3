import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { FAILING_EXAMPLE, FAILING_EXAMPLE_RATE } from '../../domain/records/failing-example';
import { percent } from '../../domain/format';
import { factOf } from '../api';
import { EXAMPLE, follow, hasArrived, setOut, stations, type Traveller } from '../model/journey';
import { Rule } from '../parts/bits';
import { sayProblem } from '../parts/notices';
import { pathTo } from '../router';
import { may, reading, readRequest, sendRecords } from '../source';

/** The records of the example, once they are sent. */
const travellers = signal<Traveller[]>([]);
/** Whether they are shown: until somebody closes the example. */
export const isOnItsWay = signal(false);

/** Whether the next ones are sent so that saves fail. */
const isToFail = signal(false);

const LOOK_EVERY_MS = 400;

/** Sends the four lists and follows them until each record has its outcome. */
async function setOff(): Promise<void> {
  travellers.value = setOut();
  isOnItsWay.value = true;
  try {
    await Promise.all(
      EXAMPLE.map(async (values, list) => {
        const key = `${FAILING_EXAMPLE}${Date.now().toString(36)}-${list}`;
        const { requestId } = await sendRecords(values, isToFail.value ? key : undefined);
        for (;;) {
          const request = await readRequest(requestId);
          // Read after the answer came, as the other lists go on meanwhile.
          travellers.value = follow(travellers.value, list, request);
          if (travellers.value.every((each) => each.list !== list || hasArrived(each))) return;
          await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        }
      }),
    );
  } catch (error) {
    sayProblem(error);
    isOnItsWay.value = false;
  }
}

/** What somebody sees who has just started keepapart: four lists to send, and their way into batches. */
export function FirstMinute({ isNew }: { isNew: boolean }) {
  if (!isOnItsWay.value) return isNew ? <Offer /> : null;
  const { waiting, batches } = stations(travellers.value);
  const isDone = travellers.value.every(hasArrived);
  return (
    <section class="card journey" aria-label="The example on its way">
      <div class="head">
        <h2>{isDone ? 'Every record has an outcome' : 'On their way'}</h2>
        {isDone && (
          <div class="row">
            <FailSwitch />
            <button type="button" onClick={() => void setOff()}>
              Send again
            </button>
            <button type="button" class="quiet" onClick={() => (isOnItsWay.value = false)}>
              Close
            </button>
          </div>
        )}
      </div>
      <Road waiting={waiting} batches={batches} />
      <p class="dim" role="status">
        {isDone ? (
          <Ending batches={batches.map(({ records }) => records)} />
        ) : (
          'A batch starts when it is full, or when its oldest record is old enough.'
        )}
      </p>
    </section>
  );
}

function Offer() {
  const rules = reading.value?.status.settings.conflicts ?? [];
  return (
    <section class="card journey stack" aria-label="A first example">
      <h2>See it work</h2>
      <p>
        Four clients send a list each. The records are kept durably, cut into batches of at most{' '}
        {reading.value?.status.settings.maxBatchSize}, and saved.{' '}
        {rules[0] !== undefined && (
          <>
            <Rule rule={rules[0]} /> never share a batch.
          </>
        )}
      </p>
      <ul class="lists">
        {EXAMPLE.map((values) => (
          <li key={values.join()}>
            {values.map((value) => (
              <code class="chip" key={value}>
                {value}
              </code>
            ))}
          </li>
        ))}
      </ul>
      {may('ingest') ? (
        <div class="row">
          <button type="button" class="primary" onClick={() => void setOff()}>
            Send these four lists
          </button>
          <FailSwitch />
        </div>
      ) : (
        <p class="dim">This key may not send records.</p>
      )}
    </section>
  );
}

/** For records of the example alone, by their ids: nothing else is touched, and nothing has to be switched off again. */
function FailSwitch() {
  if (factOf('failing-example') === '') return null;
  return (
    <label class="check">
      <input
        type="checkbox"
        role="switch"
        checked={isToFail.value}
        onChange={(event) => (isToFail.value = event.currentTarget.checked)}
      />
      Let {percent(FAILING_EXAMPLE_RATE)} of their saves fail
    </label>
  );
}

/** Chips that wait on the left, and the batches they go into; they glide when their place changes. */
function Road({ waiting, batches }: ReturnType<typeof stations>) {
  const road = useRef<HTMLDivElement>(null);
  const places = useRef(new Map<string, DOMRect>());
  useLayoutEffect(() => {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const chip of road.current?.querySelectorAll<HTMLElement>('[data-record]') ?? []) {
      const id = chip.dataset['record'] ?? '';
      for (const running of chip.getAnimations()) running.finish();
      const [before, now] = [places.current.get(id), chip.getBoundingClientRect()];
      places.current.set(id, now);
      if (still || before === undefined) continue;
      const [x, y] = [before.x - now.x, before.y - now.y];
      if (Math.abs(x) + Math.abs(y) < 1) continue;
      chip.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], {
        duration: 500,
        easing: 'cubic-bezier(.2,.8,.2,1)',
      });
    }
  });
  return (
    <div class="road" ref={road}>
      <div class="station">
        <h3>Buffer</h3>
        <div class="chips">{waiting.map((each) => chipOf(each))}</div>
      </div>
      {batches.map(({ batchId, records }) => (
        <div class="station batch" key={batchId}>
          <h3>
            <a href={pathTo('batches', batchId)}>{batchId}</a>
          </h3>
          <div class="chips">{records.map((each) => chipOf(each))}</div>
        </div>
      ))}
    </div>
  );
}

function chipOf({ recordId, value, state }: Traveller) {
  return (
    <code
      class="chip"
      key={recordId}
      data-record={recordId}
      data-state={state}
      title={state.replace('_', ' ')}
    >
      {value}
    </code>
  );
}

function Ending({ batches }: { batches: Traveller[][] }) {
  const lost = batches.flat().filter(({ state }) => state === 'rolled_back').length;
  const rules = reading.value?.status.settings.conflicts ?? [];
  return (
    <>
      {batches.flat().length - lost} saved, {lost} rolled back, in {batches.length} batches, a file each.{' '}
      {rules[0] !== undefined && (
        <>
          No batch holds <Rule rule={rules[0]} />.{' '}
        </>
      )}
      {lost > 0 && (
        <>
          Each rolled-back record was tried {reading.value?.status.settings.maxAttempts} times; now it is a{' '}
          <a href={pathTo('dead-letters')}>dead letter</a>, which can be sent again.
        </>
      )}
    </>
  );
}
