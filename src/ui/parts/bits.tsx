import type { ComponentChildren } from 'preact';
import type { ConflictRule } from '../../domain/rules';
import { shortJson } from '../model/format';
import { ruleInWords } from '../model/rules';

/* Small things that many screens show. */

/** A record's value, as text. */
export function Value({ value, state = 'plain', title }: { value: unknown; state?: string; title?: string }) {
  return (
    <code class="chip" data-state={state} title={title ?? JSON.stringify(value)}>
      {shortJson(value, 40)}
    </code>
  );
}

/** A rule in words, with its JSON behind. */
export function Rule({ rule }: { rule: ConflictRule }) {
  return (
    <span class="rule" title={JSON.stringify(rule)}>
      {ruleInWords(rule)}
    </span>
  );
}

/** A figure with its name. */
export function Stat({
  label,
  value,
  note,
  colour,
}: {
  label: string;
  value: string;
  note?: string;
  colour?: string;
}) {
  return (
    <div class="stat" data-colour={colour}>
      <dt>{label}</dt>
      <dd>
        {value}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

/** Where there is nothing to show, with what would change that. `isPage`: nothing else is on the screen. */
export function Empty({ title, isPage = false, children }: EmptyProps) {
  const Heading = isPage ? 'h1' : 'h2';
  return (
    <div class="empty">
      <Heading>{title}</Heading>
      {children}
    </div>
  );
}

interface EmptyProps {
  title: string;
  isPage?: boolean;
  children?: ComponentChildren;
}

/** The head of a screen. */
export function Head({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="head">
      <h1>{title}</h1>
      <div class="row">{children}</div>
    </div>
  );
}
