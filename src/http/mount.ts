import type { IncomingMessage } from 'node:http';

const mounts = new WeakMap<IncomingMessage, string>();

/** Notes under which path of another app a request has reached this one; links in its answer have to begin with it. */
export function noteMount(req: IncomingMessage, path: string): void {
  if (path !== '') mounts.set(req, path);
}

/** The path that {@link noteMount} has noted, without a slash at its end; `''` at the root. */
export function mountOf(req: IncomingMessage): string {
  return mounts.get(req) ?? '';
}

/** A text as it may stand in a page: a path is what a client has sent. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
