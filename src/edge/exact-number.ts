/** Every decimal with at most 15 significant digits survives the conversion to a 64-bit float and back (DBL_DIG of C). */
const SAFE_LENGTH = 15;

/** Whether a text is a JSON number. */
export function isJsonNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}

/**
 * Whether a JSON number keeps its value as a JavaScript number: written out again, it is the same decimal. True for `0.1`,
 * `1.0`, `1e20` and `9007199254740994`; false for `9007199254740993`, `1e999`, `1e-999` and pi to 20 digits.
 */
export function isExactNumber(token: string): boolean {
  if (token.length <= SAFE_LENGTH && !/[eE]/.test(token)) return true;
  const value = Number(token);
  return Number.isFinite(value) && canonicalDecimal(token) === canonicalDecimal(String(value));
}

/** Significant digits without zeros at either end, and the power of ten: the same text for equal decimals. */
function canonicalDecimal(token: string): string {
  const [mantissa = '', exponent = '0'] = token.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = whole + fraction;
  // A loop, because a pattern such as /0+$/ takes quadratic time on a million zeros before a one.
  let start = 0;
  while (digits[start] === '0') start++;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end--;
  if (start === end) return '0';
  const power = Number(exponent) - fraction.length + (digits.length - end);
  return `${token.startsWith('-') ? '-' : ''}${digits.slice(start, end)}e${power}`;
}
