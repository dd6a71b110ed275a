/**
 * Narthex's figures about itself. Every thread has a registry of its own; the main thread merges
 * their snapshots when somebody asks for /metrics. A snapshot is plain data and crosses threads.
 */
import { assert } from './assert.ts';

export type MetricKind = 'counter' | 'gauge' | 'histogram' | 'summary';

/** One child of a family. `parts` is present for histograms and summaries. */
export type MetricSample = {
  readonly labels: readonly string[];
  /** Counter, gauge: the value. Histogram, summary: the sum. */
  readonly value: number;
  /** Histogram, summary: number of observations. */
  readonly count?: number;
  /** Histogram: cumulative count per bound, then that of +Inf. Summary: value per quantile. */
  readonly parts?: readonly number[];
};

export type MetricFamily = {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labelNames: readonly string[];
  /** Histogram: upper bounds without +Inf. Summary: quantiles. Otherwise empty. */
  readonly bounds: readonly number[];
  readonly samples: readonly MetricSample[];
};

/** What one child measures, whatever its kind. */
interface Metric {
  sample(labels: readonly string[]): MetricSample;
}

export class Counter implements Metric {
  value = 0;
  increase(by = 1): void {
    this.value += by;
  }
  sample(labels: readonly string[]): MetricSample {
    return { labels, value: this.value };
  }
}

export class Gauge implements Metric {
  value = 0;
  set(value: number): void {
    this.value = value;
  }
  add(by: number): void {
    this.value += by;
  }
  sample(labels: readonly string[]): MetricSample {
    return { labels, value: this.value };
  }
}

export class Distribution implements Metric {
  readonly #bounds: readonly number[];
  /** Not cumulative; the last one is above every bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    this.#sum += value;
  }

  /** Adds what another one with the same bounds has observed, in another thread for example. */
  absorb({ value, parts }: MetricSample): void {
    assert(parts?.length === this.#counts.length, 'distributions of other bounds');
    let before = 0;
    for (const [bucket, upTo] of parts.entries()) {
      this.#counts[bucket]! += upTo - before;
      before = upTo;
    }
    this.#sum += value;
  }

  sample(labels: readonly string[]): MetricSample {
    let count = 0;
    const parts: number[] = [];
    for (const inBucket of this.#counts) parts.push((count += inBucket));
    return { labels, value: this.#sum, count, parts };
  }
}

/** Quantiles of the newest observations; the window is a number of them, not a time. */
export class Summary implements Metric {
  static readonly WINDOW_COUNT = 1024;
  readonly #quantiles: readonly number[];
  readonly #window = new Float64Array(Summary.WINDOW_COUNT);
  #count = 0;
  #sum = 0;

  constructor(quantiles: readonly number[]) {
    this.#quantiles = quantiles;
  }

  observe(value: number): void {
    this.#window[this.#count % Summary.WINDOW_COUNT] = value;
    this.#count++;
    this.#sum += value;
  }

  sample(labels: readonly string[]): MetricSample {
    const newest = this.#window.slice(0, Math.min(this.#count, Summary.WINDOW_COUNT)).sort();
    const parts = this.#quantiles.map((q) =>
      newest.length === 0
        ? NaN
        : newest[Math.min(newest.length - 1, Math.floor(q * newest.length))]!,
    );
    return { labels, value: this.#sum, count: this.#count, parts };
  }
}

/** All metrics of one name. Without label names there is one child, present from the start. */
export class Family<M extends Metric> {
  readonly #head: Omit<MetricFamily, 'samples'>;
  readonly #create: () => M;
  readonly #children = new Map<
    string,
    { readonly labels: readonly string[]; readonly metric: M }
  >();

  constructor(head: Omit<MetricFamily, 'samples'>, create: () => M) {
    this.#head = head;
    this.#create = create;
    if (head.labelNames.length === 0) this.labels();
  }

  /** The child with these label values, given in the order of the label names. */
  labels(...values: string[]): M {
    assert(values.length === this.#head.labelNames.length, `label values of ${this.#head.name}`);
    const key = values.join('\xff');
    let child = this.#children.get(key);
    if (child === undefined) {
      child = { labels: values, metric: this.#create() };
      this.#children.set(key, child);
    }
    return child.metric;
  }

  /** Forgets one child; a later use starts again from zero. */
  remove(...values: string[]): void {
    this.#children.delete(values.join('\xff'));
  }

  snapshot(): MetricFamily {
    const samples = [...this.#children.values()].map((c) => c.metric.sample(c.labels));
    return { ...this.#head, samples };
  }
}

/** The metrics of one thread. Registering a name twice gives the family that is there. */
export class Registry {
  readonly #families = new Map<string, Family<Metric>>();
  readonly #collectors: (() => void)[] = [];

  /** A counter without labels. */
  counter(name: string, help: string): Counter {
    return this.counters(name, help, []).labels();
  }
  counters(name: string, help: string, labelNames: readonly string[]): Family<Counter> {
    return this.#family(
      { name, help, kind: 'counter', labelNames, bounds: [] },
      () => new Counter(),
    );
  }

  /** A gauge without labels. */
  gauge(name: string, help: string): Gauge {
    return this.gauges(name, help, []).labels();
  }
  gauges(name: string, help: string, labelNames: readonly string[]): Family<Gauge> {
    return this.#family({ name, help, kind: 'gauge', labelNames, bounds: [] }, () => new Gauge());
  }

  histograms(
    name: string,
    help: string,
    labelNames: readonly string[],
    bounds: readonly number[],
  ): Family<Distribution> {
    const head = { name, help, kind: 'histogram', labelNames, bounds } as const;
    return this.#family(head, () => new Distribution(bounds));
  }

  summaries(
    name: string,
    help: string,
    labelNames: readonly string[],
    quantiles: readonly number[] = [],
  ): Family<Summary> {
    const head = { name, help, kind: 'summary', labelNames, bounds: quantiles } as const;
    return this.#family(head, () => new Summary(quantiles));
  }

  /** `collect` runs before every snapshot: for figures that are cheaper to ask for than to keep. */
  beforeSnapshot(collect: () => void): void {
    this.#collectors.push(collect);
  }

  snapshot(): MetricFamily[] {
    for (const collect of this.#collectors) collect();
    return [...this.#families.values()].map((family) => family.snapshot());
  }

  #family<M extends Metric>(head: Omit<MetricFamily, 'samples'>, create: () => M): Family<M> {
    let family = this.#families.get(head.name) as Family<M> | undefined;
    if (family === undefined) {
      family = new Family(head, create);
      this.#families.set(head.name, family);
    }
    return family;
  }
}

/** One list out of several threads': families joined by name, equal children added up. */
export function mergeFamilies(snapshots: Iterable<readonly MetricFamily[]>): MetricFamily[] {
  const byName = new Map<string, MetricFamily>();
  for (const families of snapshots) {
    for (const family of families) {
      const known = byName.get(family.name);
      byName.set(family.name, known === undefined ? family : mergeTwo(known, family));
    }
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function mergeTwo(a: MetricFamily, b: MetricFamily): MetricFamily {
  const byLabels = new Map<string, MetricSample>();
  for (const sample of [...a.samples, ...b.samples]) {
    const key = sample.labels.join('\xff');
    const known = byLabels.get(key);
    byLabels.set(key, known === undefined ? sample : addSamples(a.kind, known, sample));
  }
  return { ...a, samples: [...byLabels.values()] };
}

function addSamples(kind: MetricKind, a: MetricSample, b: MetricSample): MetricSample {
  const { labels } = a;
  const value = a.value + b.value;
  if (a.count === undefined || b.count === undefined) return { labels, value };
  const count = a.count + b.count;
  // Quantiles of two threads cannot be added: those of the busier one stand for both.
  const busier = a.count >= b.count ? a.parts! : b.parts!;
  const parts = kind === 'histogram' ? a.parts!.map((part, i) => part + b.parts![i]!) : busier;
  return { labels, value, count, parts };
}
