import { Readable } from 'node:stream';
import { listsOfArguments, listsOfInput } from '../../src/cli/commands/send/read-lists';

const input = (text: string | Buffer) => listsOfInput(Readable.from([Buffer.from(text as string)]));

test('Each argument is a list.', () => {
  expect(listsOfArguments(['[1,2]', ' [{"a":"ä"}] '])).toEqual([[1, 2], [{ a: 'ä' }]]);
});

test.each([
  [['[1]', '7'], 'list 2: expected a list such as [1,2,3]; received 7 (number)'],
  [['{"records":[1]}'], 'the list: expected a list such as [1,2,3]; received {"records":[1]} (object)'],
  [['[1'], 'the list: '],
  [['[9007199254740993]'], '/0: expected a number that a 64-bit float holds, or a string'],
])('an argument that is none is a wrong command: %j', (args, message) => {
  const wrong = expect.objectContaining({
    code: 'invalid-config',
    message: expect.stringContaining(message),
  });
  expect(() => listsOfArguments(args)).toThrow(wrong as Error);
});

test('Standard input is one list, of however many lines, or a list on each line.', async () => {
  expect(await input('[\n1,\n[2]\n]\n')).toEqual([[1, [2]]]);
  expect(await input('[1]\r\n\n[2,3]')).toEqual([[1], [2, 3]]);
});

test.each([
  ['\n', 'invalid-config', 'There is no list on standard input'],
  ['[1]\n[2\n', 'invalid-json', 'standard input, list 2: '],
  ['[1,\n2', 'invalid-json', 'standard input, list 1: '],
  [Buffer.from([0x22, 0xff, 0x22]), 'invalid-json', 'not valid UTF-8'],
])('standard input that is none is refused whole: %j', async (text, code, message) => {
  await expect(input(text)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});
