import { jsonText } from '../../src/cli/terminal/text';

test('What --json prints moves no terminal, reads the same, and keeps its lines.', () => {
  const value = {
    csi: '\u009b31m',
    bidi: 'a\u202eb\u2066c',
    bom: '\ufeff',
    line: 'a\u2028b\n',
    tag: '\u{e0041}',
    plain: 'é😀',
  };
  for (const indent of [undefined, 2]) {
    const text = jsonText(value, indent);
    expect(JSON.parse(text)).toEqual(value);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text).toContain('\\u009b31m');
    expect(text).toContain('é😀');
  }
});
