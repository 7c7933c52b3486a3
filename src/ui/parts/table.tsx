import type { ComponentChildren } from 'preact';

/**
 * A column: its title, what it shows of a row, and how. The first column names the row. The titles of `actions` and
 * `bar-cell` are for screen readers only.
 */
export type Column<T> = readonly [
  title: string,
  cell: (row: T) => ComponentChildren,
  kind?: 'number' | 'wrap' | 'mono' | 'actions' | 'bar-cell' | 'cell',
];

interface TableProps<T> {
  /** Its name for screen readers; what is wider than the screen is scrolled to under this name. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  isCurrent?: (row: T) => boolean;
  class?: string;
}

/** Rows with aligned figures, which scroll sideways where they don't fit. */
export function Table<T>({
  label,
  columns,
  rows,
  keyOf,
  isCurrent,
  class: look = 'scroll card',
}: TableProps<T>) {
  return (
    <div class={look} tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(([title, , kind]) => (
              <th scope="col" class={kind} key={title}>
                {kind === 'actions' || kind === 'bar-cell' ? <span class="unseen">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} aria-current={isCurrent?.(row)}>
              {columns.map(([title, cell, kind], place) =>
                place === 0 ? (
                  <th scope="row" class={kind} key={title}>
                    {cell(row)}
                  </th>
                ) : (
                  <td class={kind} key={title}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
