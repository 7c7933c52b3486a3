import fc from 'fast-check';
import type { JsonValue } from '../../src/domain/json';
import { printableJson } from '../../src/tcp/replies';
import { closeGateways, testGateway } from './test-gateway';

afterEach(closeGateways);

const SAVED = 'has been save info data: ';
const runs = { numRuns: 200 };
const list = fc.array(fc.oneof(fc.integer(), fc.string({ unit: 'binary' }), fc.jsonValue()), {
  maxLength: 5,
});
const garbage = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array).toString('latin1')),
  fc
    .array(fc.constantFrom('[', ']', '{', '"', "'", ',', '1', '\n', 'exit'), { maxLength: 12 })
    .map((t) => t.join('')),
);

test('For any bytes in any pieces, the connection ends, and only lists that were sent are accepted.', async () => {
  const gateway = await testGateway();
  const other = await gateway.connect();
  const pieces = fc.array(
    fc.oneof(
      list.map((values) => JSON.stringify(values)),
      garbage,
    ),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, async (sent) => {
      gateway.batcher.accepted.splice(0);
      const client = await gateway.connect();
      for (const piece of sent) {
        client.send(piece);
        await new Promise(setImmediate);
      }
      client.socket.end();
      const replies = await client.ended;
      const taken = gateway.taken();
      // JSON.parse is the judge of what was sent: of all that stands between two brackets.
      const text = sent.join('');
      for (const values of taken) expect(isIn(text, values)).toBe(true);
      expect(replies.split(SAVED).length - 1).toBe(taken.length);
      for (const line of replies.match(/^error .*$/gm) ?? [])
        expect(line).toMatch(
          /^error (invalid-json|invalid-request|request-too-large|wrong-protocol|list-unfinished), /,
        );
      // Others are not touched by it.
      expect(await other.ask('[1]', ']')).toBe(`${SAVED}[1]`);
    }),
    runs,
  );
});

test('Lists that are valid are all taken and answered in order, side by side with any others (G9).', async () => {
  const limits = { maxRecordBytes: 10_000, maxRequestBytes: 100_000, maxRequestRecords: 50 };
  const gateway = await testGateway({ limits });
  const record = fc.oneof(fc.integer(), fc.string({ unit: 'binary' }));
  const lists = fc.array(fc.array(record, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(lists, { minLength: 1, maxLength: 4 }), async (ofClients) => {
      const replies = await Promise.all(
        ofClients.map(async (sent) => {
          const client = await gateway.connect();
          client.send(sent.map((values) => JSON.stringify(values)).join(''));
          client.send('exit');
          return client.ended;
        }),
      );
      const expected = ofClients.map((sent) =>
        sent
          .map(
            (values) => `${SAVED}[${values.map((value) => printableJson(JSON.stringify(value))).join(', ')}]`,
          )
          .join(''),
      );
      expect(replies).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

/** Whether the text has a place from which a list to which these values belong can be read. */
function isIn(text: string, values: unknown): boolean {
  const wanted = JSON.stringify(values);
  for (let from = text.indexOf('['); from >= 0; from = text.indexOf('[', from + 1)) {
    for (let to = text.indexOf(']', from); to >= 0; to = text.indexOf(']', to + 1)) {
      if (parsed(text.slice(from, to + 1)) === wanted) return true;
    }
  }
  return false;
}

function parsed(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text) as JsonValue);
  } catch {
    return undefined;
  }
}
