/**
 * What is printed in a format and read again is the same: labels with any characters, values,
 * times, exemplars; in the text format, in OpenMetrics and in protobuf. A second scrape of the same
 * body, which goes by position, stores the same again.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatFloat,
  type FloatHistogram,
  type Histogram,
  Labels,
  ProtobufWriter,
} from '../../../model/index.ts';
import { FedTarget } from '../support/scrape-once.ts';

type Series = {
  name: string;
  labels: [string, string][];
  value: number;
  timeMs: number | null;
  exemplar: { labels: [string, string][]; value: number; timeMs: number } | null;
};

const plainName = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/);
const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
// NUL is not allowed in names, and a name must not be empty.
const anyName = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((name) => !name.includes('\0') && name.isWellFormed());
const name = fc.oneof({ weight: 2, arbitrary: plainName }, { weight: 1, arbitrary: anyName });
const labelPairs = fc
  .uniqueArray(fc.tuple(name, anyText), { selector: ([label]) => label, maxLength: 4 })
  .map((pairs) => pairs.filter(([label]) => !label.startsWith('__')));
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -Infinity, -0));
const timeMs = fc.integer({ min: 1_000_000_001, max: 1_000_000_900 });
const series: fc.Arbitrary<Series> = fc.record({
  name: name.filter((text) => !text.startsWith('__')),
  labels: labelPairs,
  value,
  timeMs: fc.option(timeMs, { nil: null }),
  exemplar: fc.option(
    fc.record({ labels: labelPairs, value: fc.double({ noNaN: true }), timeMs }),
    { nil: null },
  ),
});
/** Distinct series, as one scrape has them. */
const scrapeOf = fc.uniqueArray(series, { selector: keyOf, maxLength: 8 });

function labelsOf({ name: metric, labels }: Pick<Series, 'name' | 'labels'>): Labels {
  return Labels.fromPairs([...labels, ['__name__', metric]]);
}

function keyOf(item: Series): string {
  return labelsOf(item).key;
}

const escape = (text: string) => text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const PLAIN_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function printLabels(pairs: readonly [string, string][]): string[] {
  return pairs.map(([label, text]) => {
    const shown = PLAIN_LABEL.test(label) ? label : `"${escape(label)}"`;
    return `${shown}="${escape(text)}"`;
  });
}

function printText(items: readonly Series[], openMetrics: boolean): string {
  const lines = items.map((item) => {
    const inner = printLabels(item.labels);
    const isPlain = PLAIN_METRIC.test(item.name);
    if (!isPlain) inner.unshift(`"${escape(item.name)}"`);
    const braces = inner.length > 0 ? `{${inner.join(',')}}` : '';
    let line = `${isPlain ? item.name : ''}${braces} ${formatFloat(item.value)}`;
    if (item.timeMs !== null) line += ` ${openMetrics ? item.timeMs / 1000 : item.timeMs}`;
    if (openMetrics && item.exemplar !== null) {
      const { labels, value: example, timeMs: at } = item.exemplar;
      line += ` # {${printLabels(labels).join(',')}} ${formatFloat(example)} ${at / 1000}`;
    }
    return `${line}\n`;
  });
  return lines.join('') + (openMetrics ? '# EOF\n' : '');
}

function printProtobuf(items: readonly Series[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const item of items) {
    writer.delimited(() => {
      writer.text(1, item.name);
      writer.uint64(3, 0);
      writer.message(4, () => {
        for (const [label, text] of item.labels) {
          writer.message(1, () => {
            writer.text(1, label);
            writer.text(2, text);
          });
        }
        writer.message(3, () => {
          writer.double(1, item.value);
          if (item.exemplar !== null) printExemplar(writer, item.exemplar);
        });
        if (item.timeMs !== null) writer.int64(6, item.timeMs);
      });
    });
  }
  return writer.view();
}

function printExemplar(writer: ProtobufWriter, exemplar: NonNullable<Series['exemplar']>): void {
  writer.message(2, () => {
    for (const [label, text] of exemplar.labels) {
      writer.message(1, () => {
        writer.text(1, label);
        writer.text(2, text);
      });
    }
    writer.double(2, exemplar.value);
    writer.message(3, () => {
      writer.int64(1, Math.floor(exemplar.timeMs / 1000));
      writer.int64(2, (exemplar.timeMs % 1000) * 1e6);
    });
  });
}

test.each(['text', 'openmetrics', 'protobuf'] as const)('%s reads what was printed', (format) => {
  fc.assert(
    fc.property(scrapeOf, (items) => {
      const target = new FedTarget();
      target.timestampMs = 1_000_000_000;
      const body =
        format === 'protobuf' ? printProtobuf(items) : printText(items, format === 'openmetrics');
      expect(target.scrape(body, format)).toBe('');
      const stored = new Map(target.storage.all().map((entry) => [entry.labels.key, entry]));
      expect([...stored.keys()].sort()).toEqual(items.map(keyOf).sort());
      for (const item of items) {
        const { samples, exemplars } = stored.get(keyOf(item))!;
        const at = item.timeMs ?? target.timestampMs;
        expect(samples).toEqual([{ timestampMs: at, value: item.value }]);
        const { exemplar } = item;
        const wanted = format === 'text' || exemplar === null ? [] : [exemplar];
        expect(exemplars).toEqual(
          wanted.map((one) => ({
            labels: Labels.fromPairs(one.labels),
            value: one.value,
            timestampMs: one.timeMs,
          })),
        );
      }

      expect(target.scrape(body, format)).toBe('');
      for (const item of items) {
        const { samples } = stored.get(keyOf(item))!;
        expect(samples.length).toBe(item.timeMs === null ? 2 : 1);
        expect(samples.at(-1)!.value).toBe(item.value);
      }
      expect(target.tally!.seriesAdded).toBe(0);
    }),
    { numRuns: 300 },
  );
});

/** A native histogram that is right: counts add up, spans fit. */
const nativeHistogram = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    zeroThreshold: fc.constantFrom(1e-128, 0.001, 1),
    zeroCount: fc.nat(10),
    sum: fc.double({ noNaN: true }),
    positive: fc.array(fc.tuple(fc.nat(3), fc.nat(100)), { maxLength: 6 }),
    negative: fc.array(fc.tuple(fc.nat(3), fc.nat(100)), { maxLength: 6 }),
    isFloat: fc.boolean(),
  })
  .filter(({ positive, negative, zeroCount, isFloat }) => {
    // A float histogram without observations cannot be told from an integer one.
    return !isFloat || zeroCount + positive.length + negative.length > 0;
  })
  .map(histogramOf);

test('protobuf reads native histograms that were printed', () => {
  fc.assert(
    fc.property(nativeHistogram, (histogram) => {
      const writer = new ProtobufWriter();
      writer.delimited(() => {
        writer.text(1, 'h');
        writer.uint64(3, 4);
        writer.message(4, () => writer.message(7, () => printHistogram(writer, histogram)));
      });
      const target = new FedTarget({ scrapeNativeHistograms: true });
      expect(target.scrape(writer.view(), 'protobuf')).toBe('');
      expect(target.storage.all().map(({ samples }) => samples[0]!.value)).toEqual([histogram]);
    }),
    { numRuns: 300 },
  );
});

function printHistogram(writer: ProtobufWriter, histogram: Histogram | FloatHistogram): void {
  const spans = (field: number, list: Histogram['positiveSpans']) => {
    for (const { offset, length } of list) {
      writer.message(field, () => {
        writer.sint64(1, offset);
        writer.uint64(2, length);
      });
    }
  };
  writer.double(2, histogram.sum);
  writer.sint64(5, histogram.schema);
  writer.double(6, histogram.zeroThreshold);
  spans(9, histogram.negativeSpans);
  spans(12, histogram.positiveSpans);
  if (histogram.kind === 'integer') {
    writer.uint64(1, histogram.count);
    writer.uint64(7, histogram.zeroCount);
    writer.packedSint64(10, histogram.negativeDeltas);
    writer.packedSint64(13, histogram.positiveDeltas);
  } else {
    writer.double(4, histogram.count);
    writer.double(8, histogram.zeroCount);
    writer.packedDouble(11, histogram.negativeCounts);
    writer.packedDouble(14, histogram.positiveCounts);
  }
}

type Side = readonly (readonly [gap: number, count: number])[];
type HistogramParts = Pick<Histogram, 'schema' | 'zeroThreshold' | 'zeroCount' | 'sum'> & {
  positive: Side;
  negative: Side;
  isFloat: boolean;
};

function histogramOf(parts: HistogramParts): Histogram | FloatHistogram {
  const counts = (side: Side) => side.map(([, count]) => count);
  const all = [...counts(parts.positive), ...counts(parts.negative), parts.zeroCount];
  const deltas = (list: readonly number[]) => list.map((n, i) => n - (list[i - 1] ?? 0));
  const spans = (side: Side) =>
    side.map(([gap], i) => ({ offset: i === 0 ? gap - 1 : gap, length: 1 }));
  const common = {
    hint: 'unknown',
    schema: parts.schema,
    zeroThreshold: parts.zeroThreshold,
    zeroCount: parts.zeroCount,
    count: all.reduce((a, b) => a + b, 0),
    sum: parts.sum,
    positiveSpans: spans(parts.positive),
    negativeSpans: spans(parts.negative),
    customBounds: [],
    stale: false,
  } as const;
  const isFloat = parts.isFloat && common.count > 0;
  return isFloat
    ? ({
        ...common,
        kind: 'float',
        positiveCounts: counts(parts.positive),
        negativeCounts: counts(parts.negative),
      } satisfies FloatHistogram)
    : ({
        ...common,
        kind: 'integer',
        positiveDeltas: deltas(counts(parts.positive)),
        negativeDeltas: deltas(counts(parts.negative)),
      } satisfies Histogram);
}
