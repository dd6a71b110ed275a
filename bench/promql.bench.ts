/**
 * CPU time of range and instant queries: `node bench/promql.bench.ts [filter]`.
 *
 * The storage hands out ready columns, so that what is measured is the engine and the JSON, not
 * decoding: 1,000 series of 960 samples (15 s apart), of which 12 and 12 are the buckets of one
 * histogram. Values are random walks; V8 is too quick on constants.
 */
import {
  Labels,
  type Matcher,
  type Queryable,
  type SampleBuffer,
  SECOND_MS,
} from '../model/index.ts';
import { createEngine, writeQueryAnswer } from '../promql/index.ts';

const SERIES_COUNT = 1000;
const SAMPLE_COUNT = 960;
const INTERVAL_MS = 15 * SECOND_MS;
const START_MS = 1_700_000_000_000;
const END_MS = START_MS + (SAMPLE_COUNT - 1) * INTERVAL_MS;
const BUCKETS = [
  '0.005',
  '0.01',
  '0.025',
  '0.05',
  '0.1',
  '0.25',
  '0.5',
  '1',
  '2.5',
  '5',
  '10',
  '+Inf',
];

type Column = { labels: Labels; timestampsMs: Float64Array; values: Float64Array };

function makeSeries(): Column[] {
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  return Array.from({ length: SERIES_COUNT }, (_, i) => {
    const timestampsMs = new Float64Array(SAMPLE_COUNT);
    const values = new Float64Array(SAMPLE_COUNT);
    const jitterMs = Math.floor(random() * INTERVAL_MS);
    let value = Math.floor(random() * 1e6);
    for (let s = 0; s < SAMPLE_COUNT; s++) {
      timestampsMs[s] = START_MS + s * INTERVAL_MS - jitterMs;
      value = random() < 0.001 ? 0 : value + Math.floor(random() * 500 * ((i % 12) + 1));
      values[s] = value;
    }
    const labels = Labels.fromPairs([
      ['__name__', 'request_duration_seconds_bucket'],
      ['instance', `10.0.${Math.floor(i / 120)}.${i % 10}:9100`],
      ['job', `job-${Math.floor(i / 200)}`],
      ['le', BUCKETS[i % 12]!],
      ['path', `/api/${Math.floor(i / 12)}`],
    ]);
    return { labels, timestampsMs, values };
  });
}

function columnsQueryable(series: readonly Column[]): Queryable {
  const read = (row: number, minMs: number, maxMs: number, out: SampleBuffer): void => {
    const { timestampsMs, values } = series[row]!;
    out.clear();
    let start = Math.max(0, Math.floor((minMs - timestampsMs[0]!) / INTERVAL_MS));
    while (start < SAMPLE_COUNT && timestampsMs[start]! < minMs) start++;
    let end = Math.min(SAMPLE_COUNT, Math.floor((maxMs - timestampsMs[0]!) / INTERVAL_MS) + 1);
    if (end < start) end = start;
    out.reserve(end - start);
    out.timestampsMs.set(timestampsMs.subarray(start, end));
    out.values.set(values.subarray(start, end));
    out.count = end - start;
  };
  return {
    querier: () => ({
      select: (matchers: readonly Matcher[]) => {
        const found = series.filter(({ labels }) =>
          matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
        );
        return { labels: found.map(({ labels }) => labels), warnings: [], read };
      },
      labelNames: () => ({ texts: [], warnings: [] }),
      labelValues: () => ({ texts: [], warnings: [] }),
      close: () => undefined,
    }),
  };
}

const METRIC = 'request_duration_seconds_bucket';
const RANGE_QUERIES = [
  METRIC,
  `rate(${METRIC}[5m])`,
  `sum by (job) (rate(${METRIC}[5m]))`,
  `sum(rate(${METRIC}[5m]))`,
  `histogram_quantile(0.9, sum by (job, le) (rate(${METRIC}[5m])))`,
  `avg_over_time(${METRIC}[5m])`,
  `max_over_time(${METRIC}[5m])`,
  `topk(5, rate(${METRIC}[5m]))`,
  `rate(${METRIC}[5m]) / ignoring() rate(${METRIC}[10m])`,
  `rate(${METRIC}[5m]) > 100`,
];
const INSTANT_QUERIES = [
  `${METRIC}{path="/api/1",le="1"}`,
  '1 + 1',
  `sum(rate(${METRIC}[5m]))`,
  METRIC,
];

/** CPU milliseconds of one call, the best of a few rounds of about 300 ms. */
function cpuMs(call: () => unknown): number {
  call();
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    let count = 0;
    let spentMs = 0;
    while (spentMs < 300) {
      call();
      count++;
      const spent = process.cpuUsage(before);
      spentMs = (spent.user + spent.system) / 1000;
    }
    best = Math.min(best, spentMs / count);
  }
  return best;
}

const filter = process.argv[2] ?? '';
const engine = createEngine();
const queryable = columnsQueryable(makeSeries());

for (const stepCount of [100, 1000]) {
  const stepMs = Math.floor((END_MS - START_MS) / stepCount);
  for (const query of RANGE_QUERIES.filter((one) => one.includes(filter))) {
    const run = () =>
      engine.range({
        query,
        queryable,
        startMs: END_MS - (stepCount - 1) * stepMs,
        endMs: END_MS,
        stepMs,
      });
    const evaluation = cpuMs(run);
    const answer = run();
    const writing = cpuMs(() => writeQueryAnswer(answer));
    const { series } = answer.result.kind === 'matrix' ? answer.result : { series: [] };
    const pointCount = series.reduce((sum, { count }) => sum + count, 0);
    console.log(
      `${String(stepCount).padStart(5)} steps  ${evaluation.toFixed(2).padStart(8)} ms  ` +
        `+ JSON ${writing.toFixed(2).padStart(7)} ms (${pointCount} points, ` +
        `${((writing * 1e6) / Math.max(1, pointCount)).toFixed(0)} ns each)  ${query}`,
    );
  }
}
for (const query of INSTANT_QUERIES.filter((one) => one.includes(filter))) {
  const evaluation = cpuMs(() =>
    writeQueryAnswer(engine.instant({ query, queryable, timeMs: END_MS })),
  );
  console.log(`instant      ${(evaluation * 1000).toFixed(0).padStart(8)} µs  ${query}`);
}
