import type { IncomingMessage } from 'node:http';

const mounts = new WeakMap<IncomingMessage, string>();

/** Stores the path under which another app mounts this one; links in the answer must begin with it. */
export function noteMount(req: IncomingMessage, path: string): void {
  if (path !== '') mounts.set(req, path);
}

/** The path stored by {@link noteMount}, without a trailing slash; `''` at the root. */
export function mountOf(req: IncomingMessage): string {
  return mounts.get(req) ?? '';
}

/** Escapes a text for a page, such as a path, which comes from a client. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
