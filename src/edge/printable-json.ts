/**
 * What a terminal or a log viewer obeys instead of showing: DEL and the controls of ISO 6429 in one character (U+009B
 * begins a command like ESC does), and the marks that reverse the direction of what follows.
 */
const OBEYED = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * JSON that says the same and that any terminal shows as it is. `JSON.stringify` escapes only controls below U+0020; the
 * others can stand in strings alone, so that they may be escaped wherever they are.
 */
export function printableJson(json: string): string {
  return json.replace(OBEYED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
