import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NarthexError } from '../../../model/index.ts';
import { lineReader } from '../../../src/import/line-formats.ts';
import { IMPORT_FORMATS, type ImportFormat } from '../../../web/index.ts';

type Sample = readonly [labels: readonly string[], timestampMs: number, value: number];

function read(format: ImportFormat, ...lines: readonly string[]): Sample[] {
  const samples: Sample[] = [];
  const reader = lineReader(format);
  for (const line of lines) {
    reader(Buffer.from(line), (labels, timestampMs, value) => {
      samples.push([[...labels], timestampMs, value]);
    });
  }
  return samples;
}

describe('lines', () => {
  test('of OpenMetrics have seconds, of the text format milliseconds', () => {
    const up = ['__name__', 'up', 'job', 'a"b'];
    expect(read('openmetrics', '# TYPE up gauge', 'up{job="a\\"b"} 1 12.345')).toEqual([
      [up, 12_345, 1],
    ]);
    expect(read('text', '', 'up{job="a\\"b"} +Inf 12345', '# EOF')).toEqual([
      [up, 12_345, Infinity],
    ]);
  });

  test('of JSON have one series and many samples, in either form', () => {
    const metric = '"metric":{"__name__":"up","job":"a"}';
    const labels = ['__name__', 'up', 'job', 'a'];
    const expected = [
      [labels, 1000, 1],
      [labels, 2500, NaN],
    ];
    expect(read('jsonl', `{${metric},"values":[1,null],"timestamps":[1000,2500]}`)).toEqual(
      expected,
    );
    expect(read('jsonl', `{${metric},"values":[[1,"1"],[2.5,"NaN"]]}`)).toEqual(expected);
  });

  test('of CSV follow their header', () => {
    const rows = [
      'timestamp,metric,value,job\r',
      '1.5,up,2,"a,""b"""',
      '1970-01-01T00:00:02Z,up,3,',
    ];
    expect(read('csv', ...rows)).toEqual([
      [['__name__', 'up', 'job', 'a,"b"'], 1500, 2],
      [['__name__', 'up', 'job', ''], 2000, 3],
    ]);
  });

  test.each([
    ['openmetrics', ['up 1'], 'the sample has no timestamp'],
    ['openmetrics', ['up{ 1 2'], /expected|unexpected|unsupported/],
    ['text', ['up x 1'], 'parsing "x": invalid syntax'],
    ['jsonl', ['{'], 'not JSON'],
    ['jsonl', ['[]'], 'the line: not an object'],
    ['jsonl', ['{"metric":{"a":1},"values":[]}'], 'metric.a: not a text'],
    ['jsonl', ['{"metric":{},"values":[1],"timestamps":[]}'], '1 values but 0 timestamps'],
    ['jsonl', ['{"metric":{},"values":[1],"timestamps":[1.5]}'], 'timestamps[0]: not whole'],
    ['jsonl', ['{"metric":{},"values":[[1,"x"]]}'], 'values[0][1]: not a number'],
    ['csv', ['a,b'], 'the header has no column timestamp'],
    ['csv', ['timestamp,value,a,a'], 'the header has a twice'],
    ['csv', ['timestamp,value', '1'], '1 columns, but the header has 2'],
    ['csv', ['timestamp,value', 'x,1'], 'neither seconds nor RFC 3339: "x"'],
    ['csv', ['timestamp,value', '1,x'], 'value: not a number'],
    ['csv', ['timestamp,value', '1,"x'], 'column 2: a quote is out of place'],
  ] as const)('%s %j is refused', (format, lines, message) => {
    expect(() => read(format, ...lines)).toThrow(message);
  });

  test('whatever they are, only errors of ours are thrown', () => {
    const start = fc.constantFrom('', 'up{a="', '{"metric":{', '1,2,"', '# ');
    const bytes = fc.uint8Array({ maxLength: 40 });
    const formats = fc.constantFrom(...IMPORT_FORMATS);
    fc.assert(
      fc.property(formats, start, bytes, (format, begin, rest) => {
        const reader = lineReader(format);
        try {
          reader(Buffer.concat([Buffer.from(begin), rest]), () => {});
        } catch (error) {
          expect(error).toBeInstanceOf(NarthexError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
