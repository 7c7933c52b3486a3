import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promptForLists } from '../../src/cli/commands/send/prompt';
import type { JsonValue } from '../../src/domain/json';
import { KeepapartError } from '../../src/domain/errors';

/** Types lines into the prompt; what was sent, and what stood on the screen in the end. */
async function typed(lines: string, send: (values: JsonValue[]) => void = () => undefined) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const screen = text(output);
  const sent: JsonValue[][] = [];
  input.end(lines);
  await promptForLists({
    input,
    output,
    send: (values) => {
      sent.push(values);
      send(values);
      return Promise.resolve();
    },
  });
  output.end();
  return { sent, screen: await screen };
}

test('Each line is a list, in quotes or not, until exit.', async () => {
  const { sent } = await typed('[1,2]\n\n \'["a"]\'\n"[3]"\nexit\n[4]\n');
  expect(sent).toEqual([[1, 2], ['a'], [3]]);
});

test('The end of the input ends it too.', async () => {
  expect((await typed('[1]\n')).sent).toEqual([[1]]);
});

test('A bad line gets an error, as does a list that is refused, and the prompt stays.', async () => {
  const refuse = (values: JsonValue[]) => {
    if (values.length === 2) throw new KeepapartError('buffer-full', 'The buffer is full');
  };
  const { sent, screen } = await typed('[1,\n5\n[9007199254740993]\n[1,2]\n[3]\n', refuse);
  expect(sent).toEqual([[1, 2], [3]]);
  const lines = screen.replaceAll('keepapart> ', '').split('\n');
  const errors = lines.filter((line) => /\[[a-z-]+\]$/.test(line));
  expect(errors).toEqual([
    expect.stringMatching(/^the list: .*\[invalid-json\]$/),
    'the list: expected a list such as [1,2,3]; received 5 (number) [invalid-json]',
    '  /0: expected a number that a 64-bit float holds, or a string; received 9007199254740993 (number) [invalid-request]',
    'The buffer is full [buffer-full]',
  ]);
});
