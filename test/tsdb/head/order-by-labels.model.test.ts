import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareLabels, Labels, Matcher, SimulatedClock } from '../../../model/index.ts';
import { openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const text = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'z', 'é', '\u{10000}', '\uffee', ''),
  fc.string({ maxLength: 30, unit: 'binary' }),
);
const labels = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', '__name__', 'é', '\u{1f600}'), text)
  .map((object) => Labels.fromObject(object))
  .filter((set) => set.size > 0);

test('the head selects by matchers and sorts by labels like the definition of both', () => {
  const matcher = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'é', 'none'),
      operator: fc.constantFrom('=' as const, '!=' as const, '=~' as const, '!~' as const),
      value: fc.constantFrom('a', 'b', '', 'a|b', '.*', '.+', 'a.*', '[^a]+'),
    })
    .map(({ name, operator, value }) => new Matcher(name, operator, value));
  fc.assert(
    fc.property(
      fc.array(labels, { maxLength: 40 }),
      fc.array(matcher, { maxLength: 3 }),
      (sets, matchers) => {
        const db = openDb({
          directory: '/data',
          clock: new SimulatedClock(0),
          files: new MemoryFiles(),
          usesLockFile: false,
        });
        const appender = db.appender();
        const byKey = new Map(sets.map((set) => [set.key, set]));
        for (const set of sets) {
          const one = { count: 1, refs: Float64Array.of(appender.series(set)) };
          const values = new Float64Array(1);
          appender.appendSamples(
            { ...one, timestampsMs: Float64Array.of(1000), values },
            new Uint8Array(1),
          );
        }
        appender.commit();
        const querier = db.querier(0, 2000);
        const rows = querier.select(matchers, { minMs: 0, maxMs: 2000 });
        const wanted = [...byKey.values()]
          .filter((set) => matchers.every((m) => m.matches(set.get(m.name))))
          .sort(compareLabels);
        expect(rows.labels.map(String)).toEqual(wanted.map(String));
        const names = new Set(wanted.flatMap((set) => [...set].map(([name]) => name)));
        expect(new Set(querier.labelNames(matchers).texts)).toEqual(names);
        querier.close();
      },
    ),
    { numRuns: 150 },
  );
});
