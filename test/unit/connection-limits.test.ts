import { connectionLimits } from '../../src/cli/process/connection-limits';

test.each([
  [64, { http: 32, tcp: 8 }],
  [1024, { http: 512, tcp: 128 }],
  [4096, { http: 2048, tcp: 256 }],
  [1_048_576, { http: 4096, tcp: 256 }],
  [Infinity, { http: 4096, tcp: 256 }],
])(
  'Of %d descriptors, connections may take these, and a quarter at least is left for files.',
  (all, limits) => {
    expect(connectionLimits(all)).toEqual(limits);
  },
);

test('What this process may open is found out.', () => {
  const { http, tcp } = connectionLimits();
  expect(http).toBeGreaterThan(0);
  expect(tcp).toBeGreaterThan(0);
});
