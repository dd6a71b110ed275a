import { describe, expect, test } from 'vitest';
import { CUSTOM_BUCKETS_SCHEMA, floatHistogram, Labels } from '../../../model/index.ts';
import {
  type EscapingScheme,
  type FederatedSample,
  writeFederation,
} from '../../../web/exposition/index.ts';

// Bytes and lines below are what a Prometheus 3.14 answered about the same samples.
const EXTERNAL = Labels.fromObject({ region: 'eu' });
const TIME_MS = 1795260120000;

function sample(
  labels: Record<string, string>,
  value: number,
  histogram: FederatedSample['histogram'] = null,
): FederatedSample {
  return { labels: Labels.fromObject(labels), timestampMs: TIME_MS, value, histogram };
}

function text(samples: FederatedSample[], escaping: EscapingScheme = 'underscores'): string {
  const bytes = writeFederation(samples, EXTERNAL, { kind: 'text', escaping });
  return new TextDecoder().decode(bytes);
}

function hex(samples: FederatedSample[]): string {
  const format = { kind: 'protobuf', escaping: 'underscores' } as const;
  return Buffer.from(writeFederation(samples, EXTERNAL, format)).toString('hex');
}

const NHCB = sample(
  { __name__: 'nhcb_duration_seconds', instance: 'host-1:9100', job: 'api', path: '/b' },
  0,
  floatHistogram({
    schema: CUSTOM_BUCKETS_SCHEMA,
    count: 1188,
    sum: 594,
    customBounds: [0.1, 0.5, 1, 5],
    positiveSpans: [{ offset: 0, length: 5 }],
    positiveCounts: [215, 535, 277, 160, 1],
  }),
);
const EXPONENTIAL = sample(
  { __name__: 'nh_float_seconds', job: 'api', shard: '0' },
  0,
  floatHistogram({
    schema: 0,
    zeroThreshold: 1e-128,
    zeroCount: 78903,
    count: 5586931.5,
    sum: 789032.625,
    positiveSpans: [
      { offset: -12, length: 10 },
      { offset: 3, length: 11 },
    ],
    positiveCounts: [
      9421.5, 18808.5, 37480.5, 74415, 146667, 284879.25, 537436.5, 956742, 1518312, 1923515.25,
      351, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
  }),
);

describe('federation in text', () => {
  test('adds external labels behind those of the series, and an empty instance', () => {
    expect(
      text([
        sample({ __name__: 'up', job: 'api', instance: 'a:1' }, 1),
        sample({ __name__: 'a:b', x: 'y' }, 1e6),
        sample({ __name__: 'up', job: 'db', instance: 'b:1', region: 'us' }, 0),
      ]),
    ).toBe(
      [
        '# TYPE a:b untyped',
        `a:b{x="y",instance="",region="eu"} 1e+06 ${TIME_MS}`,
        '# TYPE up untyped',
        `up{instance="a:1",job="api",region="eu"} 1 ${TIME_MS}`,
        `up{instance="b:1",job="db",region="us"} 0 ${TIME_MS}`,
        '',
      ].join('\n'),
    );
  });

  const odd = sample(
    { __name__: 'http.server.requests', 'http.route': '/é', 'service name': 'shop' },
    5753,
  );
  test.each([
    [
      'underscores',
      'http_server_requests',
      'http_server_requests{http_route="/é",service_name="shop",',
    ],
    [
      'dots',
      'http_dot_server_dot_requests',
      'http_dot_server_dot_requests{http_dot_route="/é",service__name="shop",',
    ],
    [
      'values',
      'U__http_2e_server_2e_requests',
      'U__http_2e_server_2e_requests{U__http_2e_route="/é",U__service_20_name="shop",',
    ],
    [
      'allow-utf-8',
      '"http.server.requests"',
      '{"http.server.requests","http.route"="/é","service name"="shop",',
    ],
  ] as const)('writes names by the scheme %s', (escaping, name, line) => {
    expect(text([odd], escaping)).toBe(
      `# TYPE ${name} untyped\n${line}instance="",region="eu"} 5753 ${TIME_MS}\n`,
    );
  });

  test('shows histograms of custom bounds as classic ones, and no others', () => {
    const labels = 'instance="host-1:9100",job="api",path="/b",region="eu"';
    const line = (suffix: string, bound: string, value: string) =>
      `nhcb_duration_seconds_${suffix}{${labels}${bound}} ${value} ${TIME_MS}`;
    expect(text([NHCB, EXPONENTIAL])).toBe(
      [
        '# TYPE nhcb_duration_seconds histogram',
        line('bucket', ',le="0.1"', '215'),
        line('bucket', ',le="0.5"', '750'),
        line('bucket', ',le="1"', '1027'),
        line('bucket', ',le="5"', '1187'),
        line('bucket', ',le="+Inf"', '1188'),
        line('sum', '', '594'),
        line('count', '', '1188'),
        '',
      ].join('\n'),
    );
  });

  test('leaves out what has no name', () => {
    expect(text([sample({ job: 'api' }, 1)])).toBe('');
  });
});

describe('federation in protobuf', () => {
  test('of a float', () => {
    const labels = { __name__: 'up', env: 'dev', instance: '127.0.0.1:19490', job: 'prometheus' };
    const up = { ...sample(labels, 1), timestampMs: 1795260123842 };
    expect(hex([up])).toBe(
      '640a0275701803225c0a0a0a03656e7612036465760a1b0a08696e7374616e6365120f3132372e302e302e313a' +
        '31393439300a110a036a6f62120a70726f6d6574686575730a0c0a06726567696f6e120265752a0909000000' +
        '000000f03f30c295deee9f34',
    );
  });

  test('of a histogram with custom bounds', () => {
    expect(hex([NHCB])).toBe(
      'c6010a156e6863625f6475726174696f6e5f7365636f6e6473180422aa010a170a08696e7374616e6365120b68' +
        '6f73742d313a393130300a0a0a036a6f6212036170690a0a0a047061746812022f620a0c0a06726567696f6e' +
        '1202657530c0f7ddee9f343a621100000000009082401a12119a9999999999b93f210000000000e06a401a12' +
        '11000000000000e03f2100000000007087401a1211000000000000f03f2100000000000c90401a1211000000' +
        '00000014402100000000008c9240210000000000909240',
    );
  });

  test('of an exponential histogram', () => {
    expect(hex([EXPONENTIAL])).toBe(
      'c4020a106e685f666c6f61745f7365636f6e6473180422ad020a0a0a036a6f6212036170690a0a0a0573686172' +
        '641201300a0c0a08696e7374616e636512000a0c0a06726567696f6e1202657530c0f7ddee9f343aef011100' +
        '0000405114284121000000e0fc4f55412800319d978ccf08ba5b2541000000007043f34062040817100a6204' +
        '0806100b7100000000c066c2407100000000205ed2407100000000104de2407100000000f02af24071000000' +
        '0058e7014171000000003d6311417100000000b966204171000000008c322d417100000000e82a3741710000' +
        '0040bb593d41710000000000f075407100000000000000007100000000000000007100000000000000007100' +
        '000000000000007100000000000000007100000000000000007100000000000000007100000000000000007100' +
        '00000000000000710000000000000000',
    );
  });
});

test.each(['text', 'protobuf'] as const)('a large answer in pieces, as %s', (kind) => {
  const samples = Array.from({ length: 60_000 }, (_, i) =>
    sample({ __name__: `metric_${i % 7}`, row: `温 ${i}` }, i),
  );
  samples.push(EXPONENTIAL, NHCB);
  const format = { kind, escaping: 'underscores' } as const;
  const pieces: Uint8Array[] = [];
  const rest = writeFederation(samples, EXTERNAL, format, (piece) => pieces.push(piece));
  expect(pieces.length).toBeGreaterThan(1);
  // Whoever gets a piece gets all of its memory.
  for (const { byteLength, buffer } of pieces) expect(byteLength).toBe(buffer.byteLength);
  const whole = Buffer.from(writeFederation(samples, EXTERNAL, format));
  expect(Buffer.concat([...pieces, rest]).equals(whole)).toBe(true);
});
