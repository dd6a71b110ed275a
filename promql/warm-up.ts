/**
 * Work that makes V8 compile the code of queries before somebody waits for it: a fresh thread takes
 * a few hundred queries to be at its full speed. The data is made up, small, and of the common kinds.
 */
import {
  Labels,
  type LabelTexts,
  type Matcher,
  type Querier,
  type Queryable,
  type SampleBuffer,
} from '../model/index.ts';
import { createEngine } from './engine/engine.ts';
import { writeQueryAnswer } from './json/write-answer.ts';

const SERIES_COUNT = 16;
const SAMPLE_COUNT = 120;
const SAMPLE_STEP_MS = 15_000;
const END_MS = SAMPLE_COUNT * SAMPLE_STEP_MS;
const BUCKETS = ['0.1', '0.5', '1', '+Inf'];

const TIMES = { startMs: END_MS / 4, endMs: END_MS, stepMs: END_MS / 64 };

/** What dashboards and rules ask most. */
const QUERIES = [
  'gauge',
  'rate(counter_total[5m])',
  'sum by (job) (rate(counter_total{job="job-1"}[5m]))',
  'histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))',
  'avg without (instance) (gauge) > 0',
  'gauge / on (instance, job) group_left () gauge',
  'topk(3, gauge{instance=~"host-.*"})',
  'increase(counter_total[1m]) * 2',
  'max_over_time(gauge[2m])',
  'gauge and on (instance, job) counter_total',
  'sum(rate(counter_total[1m])) / sum(gauge)',
  'count by (job) (gauge == bool 1)',
  'absent(nothing)',
  'label_replace(gauge, "a", "$1", "instance", "(.*)")',
];

/**
 * Answers one query with each step of the iteration, again and again; stop when it is enough. Yields
 * the answer's size in bytes.
 */
export function* warmUp(): Generator<number, never> {
  const engine = createEngine();
  const queryable = new MadeUpStorage();
  for (;;) {
    for (const query of QUERIES) {
      const instant = engine.instant({ query, queryable, timeMs: END_MS });
      yield writeQueryAnswer(instant, { stats: false }).length;
      const range = engine.range({ query, queryable, ...TIMES });
      yield writeQueryAnswer(range, { stats: false }).length;
    }
  }
}

class MadeUpStorage implements Queryable {
  readonly #labels: readonly Labels[] = madeUpLabels();

  querier(): Querier {
    return {
      select: (matchers: readonly Matcher[]) => {
        const labels = this.#labels.filter((own) =>
          matchers.every((matcher) => matcher.matches(own.get(matcher.name))),
        );
        return { labels, warnings: [], read: fill };
      },
      labelNames: noTexts,
      labelValues: noTexts,
      close: () => undefined,
    };
  }
}

const noTexts = (): LabelTexts => ({ texts: [], warnings: [] });

function madeUpLabels(): Labels[] {
  const made: Labels[] = [];
  for (let i = 0; i < SERIES_COUNT; i++) {
    const target = { instance: `host-${i}`, job: `job-${i % 3}` };
    made.push(Labels.fromObject({ __name__: 'counter_total', ...target }));
    made.push(Labels.fromObject({ __name__: 'gauge', ...target }));
    const le = BUCKETS[i % BUCKETS.length]!;
    made.push(Labels.fromObject({ __name__: 'latency_bucket', ...target, le }));
  }
  return made;
}

/** Mostly rising, with a counter reset now and then. */
function fill(row: number, minMs: number, maxMs: number, out: SampleBuffer): void {
  out.clear();
  out.reserve(SAMPLE_COUNT);
  for (let i = 1; i <= SAMPLE_COUNT; i++) {
    const timestampMs = i * SAMPLE_STEP_MS + row;
    if (timestampMs < minMs || timestampMs > maxMs) continue;
    out.timestampsMs[out.count] = timestampMs;
    out.values[out.count++] = (i % 50) * (row + 1.5);
  }
}
