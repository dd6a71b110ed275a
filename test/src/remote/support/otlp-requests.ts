/** Builders of OTLP requests in JSON. */
import type { Json } from './otlp-messages.ts';

export type Value =
  | string
  | number
  | boolean
  | readonly string[]
  | { readonly [key: string]: Value };

export function attributes(values: { readonly [key: string]: Value }): Json[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: Value): Json {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) {
    return { arrayValue: { values: (value as string[]).map((item) => ({ stringValue: item })) } };
  }
  return { kvlistValue: { values: attributes(value as { readonly [key: string]: Value }) } };
}

export function nanos(timeMs: number): string {
  return `${timeMs}000000`;
}

/** Whole numbers as integers, others as doubles. */
export function point(
  timeMs: number,
  value: number,
  labels: { readonly [key: string]: Value } = {},
  others: Json = {},
): Json {
  const given = Number.isInteger(value) ? { asInt: String(value) } : { asDouble: value };
  return { timeUnixNano: nanos(timeMs), attributes: attributes(labels), ...given, ...others };
}

export function sum(name: string, unit: string, dataPoints: Json[], others: Json = {}): Json {
  const data = { aggregationTemporality: 2, isMonotonic: true, dataPoints, ...others };
  return { name, unit, description: `What ${name} is.`, sum: data };
}

export function gauge(name: string, unit: string, dataPoints: Json[]): Json {
  return { name, unit, description: '', gauge: { dataPoints } };
}

export function request(resource: { readonly [key: string]: Value }, metrics: Json[]): Json {
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributes(resource) },
        scopeMetrics: [
          {
            scope: { name: 'library', version: '1.2', attributes: attributes({ 'sa.x': 'y' }) },
            schemaUrl: 'http://schema',
            metrics,
          },
        ],
      },
    ],
  };
}

export const SERVICE = {
  'service.name': 'svc',
  'service.namespace': 'ns',
  'service.instance.id': 'i1',
  'host.name': 'h',
  'os.type': 'linux',
};

const UNITS = (
  '1 % By KiBy MiBy GiBy TiBy kBy KBy MBy GBy TBy s ms us ns min h d m V A J W g Cel Hz By/s m/h ' +
  '1/s {request} {packets}/s w/mo By/y foo mm'
).split(' ');

/** Metrics of every kind, with names and attributes that need translation. */
export function everything(timeMs: number): Json {
  const at = timeMs;
  const exemplar = {
    timeUnixNano: nanos(at - 1000),
    asDouble: 0.3,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    filteredAttributes: attributes({ 'f.f': 'gg' }),
  };
  const awkward = {
    'lä.b': 'v',
    '1a': 'x',
    _a: 'y',
    __a: 'z',
    a__b: 'q',
    'a..b': 'r',
    list: ['p', 'q'],
    map: { z: 'w', a: true },
    job: 'mine',
    f: 1.5,
    code: 200,
  };
  return request(SERVICE, [
    ...UNITS.map((unit, i) => gauge(`unit.${i}`, unit, [point(at, i)])),
    ...UNITS.map((unit, i) => sum(`counted.${i}`, unit, [point(at, i + 0.5)])),
    sum('http.server.requests', '{request}', [point(at, 3, awkward)]),
    sum('already_total', '1', [point(at, 1)]),
    sum('total.in.front', '', [point(at, 1)]),
    sum('a.seconds', 's', [point(at, 1)]),
    sum('up.down', 'By', [point(at, 4)], { isMonotonic: false }),
    sum('utf.ä', '', [point(at, 1)]),
    gauge('1digit', '', [point(at, -1)]),
    gauge('a__b..c', '', [point(at, 1)]),
    gauge('x_total', '', [point(at, 1)]),
    gauge('ratio', '1', [point(at, 0.25)]),
    gauge('km_x', 'km', [point(at, 1)]),
    gauge('ends.', '', [point(at, 1)]),
    gauge('spread', '', [point(at - 400_000, 1), point(at - 20_000, 2), point(at, 3)]),
    gauge('gone', '', [point(at, 1, {}, { flags: 1 })]),
    {
      name: 'latency',
      unit: 's',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            timeUnixNano: nanos(at),
            count: '6',
            sum: 12.5,
            bucketCounts: ['1', '2', '3'],
            explicitBounds: [0.5, 10],
            attributes: attributes({ p: 'q' }),
            exemplars: [exemplar],
          },
        ],
      },
    },
    {
      name: 'no.sum',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          { timeUnixNano: nanos(at), count: '6', bucketCounts: ['6'], explicitBounds: [] },
        ],
      },
    },
    {
      name: 'exponential',
      unit: 's',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            timeUnixNano: nanos(at),
            count: '13',
            sum: 33,
            scale: 1,
            zeroCount: '2',
            positive: { offset: 1, bucketCounts: ['1', '0', '0', '0', '4', '2'] },
            negative: { offset: -3, bucketCounts: ['4'] },
            exemplars: [exemplar],
          },
        ],
      },
    },
    {
      name: 'fine',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            timeUnixNano: nanos(at),
            count: '7',
            sum: 33,
            scale: 10,
            positive: { offset: 1000, bucketCounts: ['1', '0', '0', '0', '4', '2'] },
          },
        ],
      },
    },
    {
      name: 'summary',
      unit: 's',
      summary: {
        dataPoints: [
          {
            timeUnixNano: nanos(at),
            count: '3',
            sum: 4.5,
            quantileValues: [
              { quantile: 0.5, value: 1 },
              { quantile: 0.99, value: 2 },
            ],
            attributes: attributes({ a: 'b' }),
          },
        ],
      },
    },
  ]);
}
