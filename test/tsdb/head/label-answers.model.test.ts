/** Label names and values of the head, with matchers, against looking at every series. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareText, Labels, Matcher, SimulatedClock } from '../../../model/index.ts';
import { openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

/** Few values and many: both ways of finding them are taken. */
const series = fc.array(
  fc.record(
    {
      __name__: fc.constantFrom('a', 'b', 'c'),
      job: fc.constantFrom('x', 'y', 'z', 'ü'),
      few: fc.constantFrom('0', '1'),
      many: fc.nat(300).map(String),
      rare: fc.constantFrom('once'),
    },
    { requiredKeys: ['__name__'] },
  ),
  { minLength: 1, maxLength: 200 },
);
const matchers = fc.array(
  fc
    .tuple(
      fc.constantFrom('__name__', 'job', 'few', 'many', 'rare', 'absent'),
      fc.constantFrom('=', '!=', '=~', '!~'),
      fc.constantFrom('a', 'x', '0', '', '.+', '[abx12].*', 'once'),
    )
    .map(([name, operator, value]) => new Matcher(name, operator, value)),
  { maxLength: 3 },
);

test('are those of the series that satisfy the matchers', () => {
  fc.assert(
    fc.property(series, matchers, (list, wanted) => {
      const db = openDb({
        directory: '/data',
        clock: new SimulatedClock(0),
        files: new MemoryFiles(),
        usesLockFile: false,
      });
      const appender = db.appender();
      for (const one of list) {
        const columns = oneSample(appender.series(Labels.fromObject(one)), 1000, 1);
        appender.appendSamples(columns, new Uint8Array(1));
      }
      appender.commit();

      const found = list
        .map((one) => Labels.fromObject(one))
        .filter((labels) => wanted.every((m) => m.matches(labels.get(m.name))));
      const different = (texts: readonly string[]) => [...new Set(texts)].sort(compareText);
      const querier = db.querier(0, 2000);
      expect(querier.labelNames(wanted).texts).toEqual(
        different(found.flatMap((labels) => Object.keys(labels.toObject()))),
      );
      for (const name of ['__name__', 'job', 'few', 'many', 'rare', 'absent']) {
        const values = found.map((labels) => labels.get(name)).filter((value) => value !== '');
        expect(querier.labelValues(name, wanted).texts, name).toEqual(different(values));
      }
      querier.close();
    }),
    { numRuns: 150 },
  );
});
