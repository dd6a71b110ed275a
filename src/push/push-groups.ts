/**
 * What short-lived jobs have pushed, stored as if it were scraped: once when it comes, then at every
 * scrape interval with the value that was pushed last, until the group is deleted, replaced or
 * expires. Then its series end with a staleness marker.
 * Source: documentation of the Pushgateway; time to live and end are additions of ours.
 */
import {
  type Appendable,
  AppendOutcome,
  type Clock,
  Labels,
  LabelsBuilder,
  type Logger,
  messageOf,
  METRIC_NAME,
  NarthexError,
  NO_SERIES,
  type SampleColumns,
  writeStaleNaN,
} from '../../model/index.ts';
import { STALE_HISTOGRAM } from '../../scrape/index.ts';
import type { PushedGroup, PushRequest } from '../../web/index.ts';
import { groupKey, PushDirectory, type StoredPush } from './push-file.ts';
import { type PushedFamilies, type PushedSeries, readPush } from './read-push.ts';

/** Every group is stored again and again, and kept in memory. */
const GROUP_COUNT_MAX = 10_000;
const PUSH_TIME = 'push_time_seconds';
const FAILURE_TIME = 'push_failure_time_seconds';
const OWN_FAMILIES = new Set([PUSH_TIME, FAILURE_TIME]);

type Push = StoredPush & { readonly families: ReadonlySet<string> };

type Group = {
  readonly labels: Readonly<Record<string, string>>;
  families: Map<string, { readonly series: readonly PushedSeries[]; readonly push: Push }>;
  ttlMs: number | null;
  /** Of the last push that succeeded, and of the last that failed; 0 for never. */
  pushedAtMs: number;
  failedAtMs: number;
};

export type PushGroupsOptions = {
  readonly dataDirectory: string;
  readonly appendable: Appendable;
  readonly clock: Clock;
  readonly logger: Logger;
};

export class PushGroups {
  readonly #options: PushGroupsOptions;
  readonly #logger: Logger;
  readonly #directory: PushDirectory;
  readonly #groups = new Map<string, Group>();
  /** `scrape_interval` of the configuration. */
  intervalMs = 60_000;
  #nextMs = 0;
  /** Samples of one series have to come in the order of time. */
  #lastMs = 0;

  constructor(options: PushGroupsOptions) {
    this.#options = options;
    this.#logger = options.logger.with({ component: 'push' });
    this.#directory = new PushDirectory(options.dataDirectory);
  }

  /** Takes up what was pushed before a restart. */
  load(): void {
    const complain = (file: string, error: unknown) => {
      this.#logger.warn('Pushed group not loaded', { file, err: messageOf(error) });
    };
    for (const { labels, ttlMs, failedAtMs, pushes } of this.#directory.readAll(complain)) {
      const group: Group = { labels, families: new Map(), ttlMs, pushedAtMs: 0, failedAtMs };
      try {
        for (const push of pushes) {
          this.#put(group, push, readPush(push.body, push.contentType, labels));
          group.pushedAtMs = push.atMs;
        }
        this.#groups.set(groupKey(labels), group);
      } catch (error) {
        complain(groupKey(labels), error);
      }
    }
  }

  get list(): readonly PushedGroup[] {
    return [...this.#groups.values()].map((group) => ({
      labels: group.labels,
      pushedAtMs: group.pushedAtMs,
      failedAtMs: group.failedAtMs,
      expiresAtMs: group.ttlMs === null ? null : group.pushedAtMs + group.ttlMs,
      seriesCount: [...group.families.values()].reduce((sum, { series }) => sum + series.length, 0),
    }));
  }

  /**
   * Null when it is stored, otherwise what is wrong with the body.
   */
  push(request: PushRequest): string | null {
    const { method, labels, contentType, ttlMs } = request;
    const key = groupKey(labels);
    if (method === 'DELETE') {
      this.#end(key);
      return null;
    }
    const known = this.#groups.get(key);
    if (known === undefined && this.#groups.size >= GROUP_COUNT_MAX) {
      return `there are ${GROUP_COUNT_MAX} groups already; delete some, or push with a ttl`;
    }
    const group: Group = known ?? {
      labels,
      families: new Map(),
      ttlMs: null,
      pushedAtMs: 0,
      failedAtMs: 0,
    };
    const atMs = this.#nowMs();
    let families: PushedFamilies;
    try {
      families = readPush(request.body, contentType, labels);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      group.failedAtMs = atMs;
      this.#groups.set(key, group);
      this.#save(group);
      this.#store(ownSeries(group), []);
      return messageOf(error);
    }
    const before = seriesOf(group);
    if (method === 'PUT') group.families.clear();
    this.#put(group, { atMs, contentType, body: request.body }, families);
    group.pushedAtMs = atMs;
    group.ttlMs = ttlMs;
    this.#groups.set(key, group);
    this.#save(group);
    const after = seriesOf(group);
    const ended = [...before].filter(([label]) => !after.has(label)).map(([, series]) => series);
    this.#store([...after.values(), ...ownSeries(group)], ended);
    return null;
  }

  /** To be called every second or so. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, { ttlMs, pushedAtMs }] of this.#groups) {
      if (ttlMs !== null && nowMs >= pushedAtMs + ttlMs) this.#end(key);
    }
    if (nowMs < this.#nextMs) return;
    this.#nextMs = (Math.floor(nowMs / this.intervalMs) + 1) * this.intervalMs;
    for (const group of this.#groups.values()) {
      this.#store([...seriesOf(group).values(), ...ownSeries(group)], []);
    }
  }

  #put(group: Group, stored: StoredPush, families: PushedFamilies): void {
    const push = { ...stored, families: new Set(families.keys()) };
    for (const [name, series] of families) group.families.set(name, { series, push });
    // Remembers the push even when it was empty: the group exists.
    if (families.size === 0 && group.families.size === 0) {
      group.families.set('', { series: [], push });
    }
  }

  #save(group: Group): void {
    const { labels, ttlMs, failedAtMs } = group;
    const pushes = [...new Set([...group.families.values()].map(({ push }) => push))]
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, contentType, body }) => ({ atMs, contentType, body }));
    this.#directory.write({ labels, ttlMs, failedAtMs, pushes });
  }

  #end(key: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    this.#groups.delete(key);
    this.#directory.remove(group.labels);
    this.#store([], [...seriesOf(group).values(), ...ownSeries(group)]);
  }

  /** @param ended  series that get a staleness marker */
  #store(current: readonly PushedSeries[], ended: readonly PushedSeries[]): void {
    const timestampMs = this.#nowMs();
    const appender = this.#options.appendable.appender();
    const countMax = current.length + ended.length;
    const columns: SampleColumns = {
      count: 0,
      refs: new Float64Array(countMax),
      timestampsMs: new Float64Array(countMax).fill(timestampMs),
      values: new Float64Array(countMax),
    };
    const add = ({ labels, value, histogram }: PushedSeries, isEnded: boolean) => {
      const ref = appender.series(labels);
      if (ref === NO_SERIES) return;
      if (histogram !== null) {
        appender.appendHistogram(ref, timestampMs, isEnded ? STALE_HISTOGRAM : histogram);
        return;
      }
      columns.refs[columns.count] = ref;
      if (isEnded) writeStaleNaN(columns.values, columns.count);
      else columns.values[columns.count] = value;
      columns.count++;
    };
    try {
      for (const series of current) add(series, false);
      for (const series of ended) add(series, true);
      const outcomes = new Uint8Array(countMax).fill(AppendOutcome.Ok);
      const refusedCount = appender.appendSamples(columns, outcomes);
      appender.commit();
      if (refusedCount > 0) this.#logger.warn('Pushed samples refused', { count: refusedCount });
    } catch (error) {
      this.#logger.error('Pushed samples not stored', { err: messageOf(error) });
    }
  }

  /** Never twice the same. */
  #nowMs(): number {
    this.#lastMs = Math.max(this.#lastMs + 1, this.#options.clock.nowMs());
    return this.#lastMs;
  }
}

/** By label set. */
function seriesOf({ families }: Group): Map<string, PushedSeries> {
  const all = new Map<string, PushedSeries>();
  for (const [name, { series }] of families) {
    if (OWN_FAMILIES.has(name)) continue;
    for (const one of series) all.set(one.labels.key, one);
  }
  return all;
}

/** Those that tell about the pushes themselves, as the Pushgateway does. */
function ownSeries({ labels, pushedAtMs, failedAtMs }: Group): PushedSeries[] {
  return [
    { labels: named(PUSH_TIME, labels), value: pushedAtMs / 1000, histogram: null },
    { labels: named(FAILURE_TIME, labels), value: failedAtMs / 1000, histogram: null },
  ];
}

function named(name: string, labels: Readonly<Record<string, string>>): Labels {
  return new LabelsBuilder(Labels.fromObject(labels)).set(METRIC_NAME, name).build();
}
