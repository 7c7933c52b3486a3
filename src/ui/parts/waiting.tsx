import { count, percent } from '../../domain/format';
import { sharesOf } from '../model/waits';
import { waits } from '../source';

/** What the records of the buffer wait for; nothing where nothing waits. */
export function Waiting() {
  const shares = sharesOf(waits.value);
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
