import { count, percent } from '../model/format';
import { sharesOf } from '../model/waits';
import { readWaits } from '../source';
import { usePolled } from './use-polled';

const LOOK_EVERY_MS = 2000;

/** What the records of the buffer wait for. Nothing where nothing waits, or where the API doesn't tell it. */
export function Waiting() {
  const { value } = usePolled('waits', readWaits, LOOK_EVERY_MS);
  const shares = value.value === undefined ? [] : sharesOf(value.value);
  if (shares.length === 0) return null;
  return (
    <section class="card stack" aria-label="What records wait for">
      <h2>What records wait for</h2>
      <div class="shares" aria-hidden="true">
        {shares.map(({ for: reason, share }) => (
          <i key={reason} data-wait={reason} style={{ flexGrow: share }} />
        ))}
      </div>
      <ul class="plain">
        {shares.map(({ for: reason, text, records, share }) => (
          <li key={reason} data-wait={reason}>
            <b class="figure">{count(records)}</b> <span class="dim">{percent(share)}</span> {text}
          </li>
        ))}
      </ul>
    </section>
  );
}
