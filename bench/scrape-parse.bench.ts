/**
 * CPU time per sample from a scraped body to (reference, value) columns, in the steady state, and
 * memory of the cache that makes it possible.
 * Run: `node bench/scrape-parse.bench.ts [series] [families|series] [gzip]`. With `families` a target
 * tells its metrics in another order each time, with `series` the series of each metric; with `gzip`
 * decompressing counts, too.
 *
 * The bodies imitate a host exporter with an instrumented service: about a third classic histogram
 * series, a third counters, the rest gauges and constants, 86 bytes a line, with HELP and TYPE
 * lines. Between scrapes only digits change. The best of the rounds is what the code
 * costs; the median is what it costs on this machine beside everything else.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Appender, Labels, Relabeler, type SeriesRef } from '../model/index.ts';
import { SampleLabels } from '../scrape/sample-labels.ts';
import { Staging } from '../scrape/staging.ts';
import { TargetSeries } from '../scrape/target-series.ts';
import { TextReader } from '../scrape/text-ingest.ts';

const TARGET_COUNT = 50;
const ROUND_COUNT = 15;
const SCRAPES_PER_ROUND = 20;
const [seriesArgument = '1000', ...modes] = process.argv.slice(2);
const seriesPerTarget = Number(seriesArgument);
const mixes = modes.find((mode) => mode === 'families' || mode === 'series') ?? 'nothing';
const isCompressed = modes.includes('gzip');

/** Where the digits of a line stand that change from scrape to scrape. */
type Body = { readonly bytes: Uint8Array; readonly digitOffsets: readonly number[] };

/** A small generator with a fixed seed, so that every run reads the same bytes. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

function buildBody(seriesCount: number, seed: number): Body {
  const random = randomNumbers(seed);
  const digits = (count: number) => {
    let text = String(1 + Math.floor(random() * 9));
    while (text.length < count) text += Math.floor(random() * 10);
    return text;
  };
  const numbers: readonly (() => string)[] = [
    () => digits(6),
    () => `${digits(5)}.${digits(2)}`,
    () => `${digits(1)}.${digits(6)}e+06`,
    () => `0.${digits(6)}`,
    () => `${digits(1)}.${digits(8)}e+09`,
  ];
  const bounds = ['0.005', '0.01', '0.05', '0.1', '0.5', '1', '2.5', '5', '10', '+Inf'];
  let text = '';
  const digitOffsets: number[] = [];
  const line = (series: string, number: string) => {
    if (digitOffsets.length >= seriesCount) return;
    text += `${series} ${number}\n`;
    digitOffsets.push(text.length - 2 - (number.includes('e') ? 4 : 0));
  };
  for (let block = 0; digitOffsets.length < seriesCount; block++) {
    text += '# HELP http_request_duration_seconds Time to answer a request.\n';
    text += '# TYPE http_request_duration_seconds histogram\n';
    const labels = `handler="/api/v1/resource-${block}",method="GET"`;
    for (const le of bounds) {
      line(`http_request_duration_seconds_bucket{${labels},le="${le}"}`, digits(6));
    }
    line(`http_request_duration_seconds_sum{${labels}}`, `${digits(5)}.${digits(4)}`);
    line(`http_request_duration_seconds_count{${labels}}`, digits(6));
    text += '# HELP node_cpu_seconds_total Seconds by mode.\n';
    text += '# TYPE node_cpu_seconds_total counter\n';
    for (let i = 0; i < 14; i++) {
      line(`node_cpu_seconds_total{cpu="${block}",mode="mode-${i}"}`, numbers[i % 3]!());
    }
    text += '# HELP app_queue_depth Jobs that wait.\n# TYPE app_queue_depth gauge\n';
    for (let i = 0; i < 12; i++) {
      line(
        `app_queue_depth{queue="queue-${i}",shard="${block}",tenant="tenant-${block % 13}"}`,
        numbers[2 + (i % 3)]!(),
      );
    }
  }
  return { bytes: new TextEncoder().encode(text), digitOffsets };
}

function changeDigits(body: Body, round: number): void {
  body.digitOffsets.forEach((offset, i) => {
    body.bytes[offset] = 0x30 + ((round + i) % 10);
  });
}

/** The same lines in another order, as Go's maps or a registry of many workers give them. */
function mixed(body: Uint8Array, random: () => number): Uint8Array {
  if (mixes === 'nothing') return body;
  const lines = Buffer.from(body).toString('latin1').trimEnd().split('\n');
  const families: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('# HELP')) families.push([]);
    families.at(-1)!.push(line);
  }
  const shuffle = (list: unknown[], from: number): void => {
    for (let i = list.length - 1; i > from; i--) {
      const j = from + Math.floor(random() * (i + 1 - from));
      [list[i], list[j]] = [list[j], list[i]];
    }
  };
  if (mixes === 'families') shuffle(families, 0);
  else for (const family of families) shuffle(family, 2);
  return Buffer.from(`${families.flat().join('\n')}\n`, 'latin1');
}

let nextRef = 1;
const appender: Appender = {
  series: () => nextRef++ as SeriesRef,
  appendSamples: () => 0,
  appendHistogram: () => 0,
  appendExemplar: () => true,
  updateMetadata: () => {},
  commit: () => {},
  rollback: () => {},
};
const sampleLabels = new SampleLabels({
  targetLabels: Labels.fromObject({ job: 'bench', instance: 'localhost:9100' }),
  honorLabels: false,
  nameScheme: 'utf8',
  metricRelabeler: new Relabeler([]),
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
});
const targets = Array.from({ length: TARGET_COUNT }, (_, i) => ({
  body: buildBody(seriesPerTarget, i + 1),
  series: new TargetSeries({
    sampleLabels,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    sampleLimit: 0,
    scrapeNativeHistograms: false,
    convertClassicHistograms: false,
    keepClassicHistograms: false,
    nativeHistogramBucketLimit: 0,
    nativeHistogramSchemaMax: 8,
    appendMetadata: false,
    readsStarts: false,
    synthesizesStarts: false,
  }),
}));

const reader = new TextReader(false);
const staging = new Staging();
const received = new Uint8Array(Math.max(...targets.map(({ body }) => body.bytes.length)) + 2);
const random = randomNumbers(7);
const perSampleNs: number[] = [];
let firstNs = 0;
for (let round = 0; round <= ROUND_COUNT; round++) {
  let sampleCount = 0;
  let usedUs = 0;
  // The clock of CPU time ticks in milliseconds, so a round is many scrapes.
  const scrapeCount = round === 0 ? 1 : SCRAPES_PER_ROUND;
  for (let scrape = 0; scrape < scrapeCount; scrape++) {
    const number = round * SCRAPES_PER_ROUND + scrape;
    const sent = targets.map(({ body }) => {
      changeDigits(body, number);
      const page = mixed(body.bytes, random);
      return isCompressed ? gzipSync(page) : page;
    });
    const before = process.threadCpuUsage().user;
    for (const [index, { body, series }] of targets.entries()) {
      received.set(isCompressed ? gunzipSync(sent[index]!) : sent[index]!);
      series.begin(appender, staging, 1000 * number, 'text', reader);
      reader.read(series, null, received, body.bytes.length);
      series.finish();
      series.append({ refs: new Float64Array(0), labels: () => Labels.EMPTY });
      sampleCount += series.tally.samplesKept;
    }
    usedUs += process.threadCpuUsage().user - before;
  }
  const ns = (usedUs * 1000) / sampleCount;
  if (round === 0) firstNs = ns;
  else perSampleNs.push(ns);
}
perSampleNs.sort((a, b) => a - b);
const total = TARGET_COUNT * seriesPerTarget;
const cacheBytes = targets.reduce((sum, { series }) => sum + series.cache.sizeBytes, 0);
const bodyBytes = targets.reduce((sum, { body }) => sum + body.bytes.length, 0);
console.log(
  `${TARGET_COUNT} targets x ${seriesPerTarget} series, ${(bodyBytes / total).toFixed(0)} B/sample`,
);
console.log(`first scrape   ${firstNs.toFixed(0)} ns per sample`);
console.log(`steady, best   ${perSampleNs[0]!.toFixed(0)} ns per sample`);
console.log(`steady, median ${perSampleNs[perSampleNs.length >> 1]!.toFixed(0)} ns per sample`);
console.log(`cache          ${(cacheBytes / total).toFixed(0)} B per series`);
