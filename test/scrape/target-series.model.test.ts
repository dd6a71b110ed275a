/**
 * Whatever a target sends from scrape to scrape, what is stored is what a reader without any memory
 * of texts would store: every line understood anew, series that are missing ended.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FedTarget } from './support/scrape-once.ts';

/** A line as a target may send it, and what it means. */
type Line =
  | { kind: 'sample'; series: number; spelling: number; value: number; ownTime: number | null }
  | { kind: 'help'; metric: number; text: number }
  | { kind: 'comment' }
  | { kind: 'blank' }
  | { kind: 'broken' };

const NAMES = ['a', 'ab', 'http_requests_total', 'b:c', 'a_very_long_metric_name_seconds'];

/** Few series, so that they come again, change places, vanish and return. */
const SERIES = NAMES.flatMap((name) => [
  { name, labels: [] },
  { name, labels: [['x', '1']] },
  { name, labels: [['x', '2']] },
  {
    name,
    labels: [
      ['x', '1'],
      ['path', '/a b,{}"\\'],
    ],
  },
]) as { name: string; labels: [string, string][] }[];

const sample = fc.record({
  kind: fc.constant('sample' as const),
  series: fc.nat(SERIES.length - 1),
  spelling: fc.nat(3),
  value: fc.oneof(
    fc.nat(1000),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(1e6, -0, 0.1, 123456.789, 1.2345678901234567, 5e-324, Infinity),
  ),
  ownTime: fc.oneof(
    { weight: 8, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.nat(99) },
  ),
});
const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 20, arbitrary: sample },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('help' as const),
      metric: fc.nat(NAMES.length - 1),
      text: fc.nat(1),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'comment' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'blank' } as const) },
);
/** What happens between two scrapes. */
const edit = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'values' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), line }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), by: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('break' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'empty' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'collect' as const }) },
);

function print(item: Line, timestampMs: number): string {
  switch (item.kind) {
    case 'blank':
      return '  ';
    case 'comment':
      return '#just a comment';
    case 'broken':
      return 'a{x="1" 5';
    case 'help':
      return `# HELP ${NAMES[item.metric]!} text ${item.text}`;
    case 'sample': {
      const { name, labels } = SERIES[item.series]!;
      const pairs = item.spelling % 2 === 0 ? labels : labels.toReversed();
      const comma = item.spelling >= 2 ? ' , ' : ',';
      const inner = pairs.map(([n, v]) => `${n}="${v.replace(/["\\]/g, '\\$&')}"`).join(comma);
      const braces = inner === '' ? (item.spelling === 3 ? '{}' : '') : `{${inner}}`;
      const value = Object.is(item.value, -0) ? '-0' : String(item.value).replace('Inf', '+Inf');
      const number = value.replace('inity', '');
      const time = item.ownTime === null ? '' : ` ${timestampMs - 500 + item.ownTime}`;
      return `${name}${braces} ${number}${time}`;
    }
  }
}

/** A storage and a target without shortcuts. */
class Model {
  readonly samples = new Map<string, { timestampMs: number; value: number | 'stale' }[]>();
  #open = new Set<string>();

  scrape(lines: readonly Line[], timestampMs: number): void {
    if (lines.some(({ kind }) => kind === 'broken')) {
      for (const key of this.#open) this.#append(key, timestampMs, 'stale');
      this.#open = new Set();
      return;
    }
    const seenTexts = new Set<string>();
    const present = new Set<string>();
    const tracked = new Set<string>();
    for (const item of lines) {
      if (item.kind !== 'sample') continue;
      const key = keyOf(item.series);
      const text = print({ ...item, value: 0, ownTime: null }, 0);
      const isRepetition = seenTexts.has(text) && item.ownTime === null;
      seenTexts.add(text);
      if (isRepetition) continue;
      const time = item.ownTime === null ? timestampMs : timestampMs - 500 + item.ownTime;
      this.#append(key, time, item.value);
      present.add(key);
      if (item.ownTime === null) tracked.add(key);
    }
    for (const key of this.#open) if (!present.has(key)) this.#append(key, timestampMs, 'stale');
    for (const key of this.#open) {
      if (present.has(key) && !tracked.has(key)) this.#append(key, timestampMs, 'stale');
    }
    this.#open = tracked;
  }

  /** Storage drops all series, and with them what would have had to end. */
  collect(): void {
    this.samples.clear();
    this.#open = new Set();
  }

  #append(key: string, timestampMs: number, value: number | 'stale'): void {
    let samples = this.samples.get(key);
    if (samples === undefined) {
      // A series that storage has dropped has no end to be told.
      if (value === 'stale') return;
      this.samples.set(key, (samples = []));
    }
    const last = samples.at(-1);
    if (last === undefined || timestampMs > last.timestampMs) samples.push({ timestampMs, value });
  }
}

function keyOf(series: number): string {
  const { name, labels } = SERIES[series]!;
  return [name, ...labels.map(([n, v]) => `${n}=${v}`).sort()].join('|');
}

test('positional reading stores what reading every line anew would store', () => {
  fc.assert(
    fc.property(
      // One spelling per series and scrape, and each series with or without own times, as programs
      // do it; repetitions of a line are left in.
      fc.array(line, { maxLength: 25 }),
      fc.array(fc.array(edit, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
      fc.infiniteStream(fc.nat(1_000_000)),
      (firstLines, steps, numbers) => {
        const target = new FedTarget();
        const model = new Model();
        let lines: Line[] = oneSpelling(firstLines);
        const scrape = (sent: readonly Line[]) => {
          const timestampMs = target.timestampMs + 1000;
          target.scrape(sent.map((item) => `${print(item, timestampMs)}\n`).join(''));
          model.scrape(sent, timestampMs);
        };
        scrape(lines);
        for (const edits of steps) {
          let sent: Line[] | null = null;
          for (const change of edits) {
            if (change.kind === 'values') {
              lines = lines.map((item) =>
                item.kind === 'sample' ? { ...item, value: numbers.next().value } : item,
              );
            } else if (change.kind === 'insert') {
              lines = oneSpelling(lines.toSpliced(change.at % (lines.length + 1), 0, change.line));
            } else if (change.kind === 'remove' && lines.length > 0) {
              lines = lines.toSpliced(change.at % lines.length, 1);
            } else if (change.kind === 'rotate' && lines.length > 0) {
              const by = change.by % lines.length;
              lines = [...lines.slice(by), ...lines.slice(0, by)];
            } else if (change.kind === 'break') {
              sent = lines.toSpliced(change.at % (lines.length + 1), 0, { kind: 'broken' });
            } else if (change.kind === 'empty') {
              sent = [];
            } else if (change.kind === 'collect') {
              target.storage.collect(() => true);
              model.collect();
            }
          }
          scrape(sent ?? lines);
        }
        const stored = new Map(
          target.storage
            .all()
            .filter(({ samples }) => samples.length > 0)
            .map(({ labels, samples }) => {
              const pairs = [...labels].filter(([name]) => name !== '__name__');
              const key = [labels.get('__name__'), ...pairs.map(([n, v]) => `${n}=${v}`).sort()];
              return [key.join('|'), samples];
            }),
        );
        expect(stored).toEqual(model.samples);
      },
    ),
    { numRuns: 500 },
  );
});

// A series with a time of its own, then without one in a page that breaks off: it got an end.
test('a failed scrape ends no series that was not open', () => {
  const target = new FedTarget();
  target.scrape(`a 1 ${target.timestampMs + 500}\n`);
  target.scrape('a 1\na{x="1" 5\n');
  const series = target.storage.all().find(({ samples }) => samples.length > 0);
  expect(series!.samples).toHaveLength(1);
});

// Another spelling had created the series anew; its absence ended what went on under the first one.
test('a series that storage had dropped goes on under its former spelling', () => {
  const target = new FedTarget();
  target.scrape('a 1\n');
  target.storage.collect(() => true);
  target.scrape('a{} 2\n');
  target.scrape('a 3\n');
  const series = target.storage.all().find(({ samples }) => samples.length > 0);
  expect(series!.samples.map(({ value }) => value)).toEqual([2, 3]);
});

/** Makes all lines of a series use the spelling and kind of time of its first one. */
function oneSpelling(lines: readonly Line[]): Line[] {
  const first = new Map<number, Line & { kind: 'sample' }>();
  return lines.map((item) => {
    if (item.kind !== 'sample') return item;
    const leader = first.get(item.series) ?? item;
    first.set(item.series, leader);
    return { ...item, spelling: leader.spelling, ownTime: leader.ownTime };
  });
}
