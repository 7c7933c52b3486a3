/**
 * FNV-1a (32 bit, unsigned) over the UTF-16 code units of a text. Shards and digests in carried state depend on it, so
 * it must never change. http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
