/**
 * Characters that a terminal or log viewer interprets instead of showing: DEL, the one-character controls of ISO 6429
 * (U+009B starts a command, as ESC does), and the marks that reverse the text direction.
 */
const INTERPRETED = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * The same JSON, in a form that every terminal shows as it is. `JSON.stringify` escapes only controls below U+0020. The
 * others can only occur in strings, so they can be escaped anywhere.
 */
export function printableJson(json: string): string {
  return json.replace(INTERPRETED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
