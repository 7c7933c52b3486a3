import type { ComponentChildren } from 'preact';
import type { ConflictRule } from '../../domain/rules';
import { ago, clock, count, shortJson } from '../../domain/format';
import { ruleInWords } from '../model/rules';
import { pathTo } from '../router';
import { nowMs } from '../source';

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

/** When something was, and how long ago. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {clock(at)} <span class="dim">{ago(at, nowMs.value)}</span>
    </time>
  );
}

/** A record's id, which leads to its life. */
export function RecordLink({ id }: { id: string }) {
  return (
    <a data-row href={pathTo('find', id)}>
      {id}
    </a>
  );
}

/** A number; a dash where it isn't known. */
export function figure(value: number | null): string {
  return value === null ? '–' : count(value);
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
