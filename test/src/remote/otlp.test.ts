/** OTLP requests in both encodings, and what is refused of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { SimulatedClock, ValueError } from '../../../model/index.ts';
import { decodeOtlpJson } from '../../../src/remote/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../../src/remote/otlp-protobuf.ts';
import { OtlpReceiver } from '../../../src/remote/otlp-receive.ts';
import type { OtlpOptions } from '../../../src/remote/otlp-translate.ts';
import { type Json, otlpProtobuf } from './support/otlp-messages.ts';
import { everything, gauge, point, request, SERVICE, sum } from './support/otlp-requests.ts';
import { NOW_MS, RemoteStore } from './support/store.ts';

const T = NOW_MS - 60_000;
const OPTIONS: OtlpOptions = {
  strategy: 'UnderscoreEscapingWithSuffixes',
  sanitizesUnderscores: true,
  keepsMultipleUnderscores: true,
  promotesAllAttributes: false,
  promotedAttributes: [],
  ignoredAttributes: [],
  keepsIdentifyingAttributes: false,
  convertsHistograms: false,
  promotesScope: false,
  takesDeltas: false,
  totalsDeltas: false,
  targetInfoStepMs: 150_000,
};

let store: RemoteStore;
let receiver: OtlpReceiver;
beforeEach(() => {
  store = new RemoteStore();
  const clock = new SimulatedClock(NOW_MS);
  receiver = new OtlpReceiver({ storage: store.db, clock, appendMetadata: true });
});
afterEach(() => store.remove());

function json(body: Json): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

function send(body: Json, options: Partial<OtlpOptions> = {}): void {
  receiver.write({ encoding: 'json', body: json(body), options: { ...OPTIONS, ...options } });
}

test('both encodings say the same', () => {
  const body = everything(T);
  const fromJson = decodeOtlpJson(json(body));
  expect(decodeOtlpProtobuf(otlpProtobuf(body))).toEqual(fromJson);
  expect(fromJson[0]!.scopes[0]!.metrics.length).toBeGreaterThan(80);
});

test('times are exact to the millisecond', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4e12 }),
      fc.integer({ min: 0, max: 999_999 }),
      (ms, ns) => {
        const timeUnixNano = `${ms}${String(ns).padStart(6, '0')}`;
        const body = request({}, [gauge('g', '', [{ timeUnixNano, asInt: '1' }])]);
        const timeOf = (resources: ReturnType<typeof decodeOtlpJson>) =>
          resources[0]!.scopes[0]!.metrics[0]!.points[0]!.timeMs;
        expect(timeOf(decodeOtlpProtobuf(otlpProtobuf(body)))).toBe(ms);
        expect(timeOf(decodeOtlpJson(json(body)))).toBe(ms);
      },
    ),
  );
});

describe('a request', () => {
  test('becomes series of the resource', () => {
    send(request(SERVICE, [sum('http.requests', '{request}', [point(T, 3, { 'a.b': 1 })])]));
    expect(store.stored()).toEqual({
      '{__name__="http_requests_total", a_b="1", instance="i1", job="ns/svc"}': [[T, 3]],
      '{__name__="target_info", host_name="h", instance="i1", job="ns/svc", os_type="linux"}': [
        [T, 1],
      ],
    });
  });

  test('tells of its resource over the whole time', () => {
    const points = [point(T - 200_000, 1), point(T, 2)];
    send(request({ 'service.name': 's', k: 'v' }, [gauge('g', '', points)]));
    expect(store.stored('target_info', '=')).toEqual({
      '{__name__="target_info", job="s", k="v"}': [
        [T - 200_000, 1],
        [T - 50_000, 1],
        [T, 1],
      ],
    });
  });

  test('has delta values refused, or stored where that is switched on', () => {
    const body = request({ 'service.name': 's' }, [
      sum('delta', '', [point(T, 1)], { aggregationTemporality: 1 }),
      gauge('good', '', [point(T, 2)]),
    ]);
    expect(() => send(body)).toThrow('invalid temporality and type combination for metric "delta"');
    expect(Object.keys(store.stored())).toEqual(['{__name__="good", job="s"}']);
    send(body, { takesDeltas: true });
    expect(Object.keys(store.stored('delta_total', '='))).toHaveLength(1);
  });

  test('has what storage refuses named, and the rest stored', () => {
    send(request({ 'service.name': 's' }, [gauge('g', '', [point(T, 1)])]));
    const body = request({ 'service.name': 's' }, [
      gauge('g', '', [point(T - 1000, 1)]),
      gauge('good', '', [point(T, 2)]),
    ]);
    expect(() => send(body)).toThrow('out of order sample for series {__name__="g", job="s"}');
    expect(Object.keys(store.stored('good', '='))).toHaveLength(1);
  });

  test.each<[string, Json, string]>([
    ['without data', { name: 'x' }, 'could not get aggregation temporality for x as it has unsupp'],
    ['without points', gauge('x', '', []), 'empty data points. x is dropped'],
    ['without name', gauge('', '', [point(T, 1)]), 'normalization for metric "" resulted in empty'],
    [
      'of a scale that is too coarse',
      {
        name: 'x',
        exponentialHistogram: {
          aggregationTemporality: 2,
          dataPoints: [{ timeUnixNano: `${T}000000`, scale: -5 }],
        },
      },
      'cannot convert exponential to native histogram. Scale must be >= -4, was -5',
    ],
  ])('with a metric %s has the others stored', (_, metric, reason) => {
    const body = request({}, [metric, gauge('good', '', [point(T, 2)])]);
    expect(() => send(body)).toThrow(reason);
    expect(store.stored()).toEqual({ '{__name__="good"}': [[T, 2]] });
  });

  test.each([
    ['no JSON', '{', /^JSON: Expected property name/],
    ['no object', '[]', /^JSON: request: expected an object/],
    ['a wrong list', '{"resourceMetrics":{}}', /^JSON: request\.resourceMetrics: expected a list/],
    [
      'a wrong number',
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"asInt":"x"}]}}]}]}]}',
      /dataPoints\[0\]\.asInt: expected a number/,
    ],
  ])('that is %s is refused', (_, text, reason) => {
    const body = new TextEncoder().encode(text);
    const write = () => receiver.write({ encoding: 'json', body, options: OPTIONS });
    expect(write).toThrow(ValueError);
    expect(write).toThrow(reason);
  });

  test('may have attributes of any value', () => {
    const values: Json = {
      large: { intValue: '9007199254740993' },
      negative: { intValue: '-9223372036854775808' },
      small: { doubleValue: 1e-9 },
      list: { arrayValue: { values: [{ doubleValue: 1e-9 }, { stringValue: '<\u2028>' }, {}] } },
      unsayable: { arrayValue: { values: [{ doubleValue: Infinity }] } },
    };
    const attributes = Object.entries(values).map(([key, value]) => ({ key, value }));
    const body = request({}, [gauge('g', '', [{ ...point(T, 1), attributes }])]);
    receiver.write({ encoding: 'protobuf', body: otlpProtobuf(body), options: OPTIONS });
    expect(Object.keys(store.stored())).toEqual([
      '{__name__="g", large="9007199254740993", list="[1e-9,\\"<\\\\u2028>\\",null]", ' +
        'negative="-9223372036854775808", small="1e-9"}',
    ]);
  });

  test.each([
    ['UnderscoreEscapingWithSuffixes', 'aseconds', 's', 'aseconds_seconds_total'],
    ['UnderscoreEscapingWithSuffixes', 'a', 'foo/bar/baz', 'a_foo_per_bar_baz_total'],
    ['UnderscoreEscapingWithSuffixes', 'a', 's/ä', 'a_seconds_total'],
    ['NoUTF8EscapingWithSuffixes', 'requests.total', '', 'requests_total'],
    ['NoUTF8EscapingWithSuffixes', 'a_per_second', 'By/s', 'a_bytes_per_second_total'],
    ['NoUTF8EscapingWithSuffixes', 'total', '', 'total_total'],
    ['UnderscoreEscapingWithoutSuffixes', '.a-b.', 's', 'a_b'],
  ] as const)('with %s has %s in %s stored as %s', (strategy, name, unit, stored) => {
    send(request({}, [sum(name, unit, [point(T, 1)])]), { strategy });
    expect(Object.keys(store.stored())).toEqual([`{__name__="${stored}"}`]);
  });

  test('may use the names of the protocol file', () => {
    const metrics = [
      { name: 'g', gauge: { data_points: [{ time_unix_nano: `${T}000000`, as_double: 1 }] } },
    ];
    send({ resource_metrics: [{ scope_metrics: [{ metrics }] }] });
    expect(store.stored()).toEqual({ '{__name__="g"}': [[T, 1]] });
  });
});

test('damage is an error that a client may see', () => {
  const good = otlpProtobuf(everything(T));
  const place = fc.nat(good.length - 1);
  fc.assert(
    fc.property(place, fc.nat(7), fc.boolean(), (at, bit, cuts) => {
      const body = cuts ? good.slice(0, at) : good.slice();
      if (!cuts) body[at]! ^= 1 << bit;
      try {
        receiver.write({ encoding: 'protobuf', body, options: OPTIONS });
      } catch (error) {
        expect(error).toBeInstanceOf(ValueError);
      }
    }),
    { numRuns: 400 },
  );
});

test('values nested without end are refused', () => {
  let value: Json = { stringValue: 'x' };
  for (let depth = 0; depth < 100; depth++) value = { arrayValue: { values: [value] } };
  const body = request({}, [
    gauge('g', '', [point(T, 1, {}, { attributes: [{ key: 'deep', value }] })]),
  ]);
  const reason = 'attribute values are nested too deeply';
  expect(() => decodeOtlpJson(json(body))).toThrow(reason);
  expect(() => decodeOtlpProtobuf(otlpProtobuf(body))).toThrow(reason);
});
