/**
 * The lines of OpenMetrics that tell when a metric began, `<metric>_created`, read as what they are:
 * the start timestamps of that metric's samples.
 *
 *   a_total{path="/"} 5          pending
 *   a_created{path="/"} 1e9      same metric, same labels but for `le` and `quantile`: its start
 *
 * As Prometheus does, a sample takes the first such line behind it if that one speaks of it, and else
 * none; and the start of its metric if another sample took that before. Labels have to be written in
 * the same order.
 * Source: OpenMetrics 1.0; what 3.14 stored of pages in odd orders.
 */
import type { RawLabels } from './exposition/series-text.ts';
import type { Staging } from './staging.ts';

/** Finds the labels of a series as they were written. */
export type LabelsOfEntry = (entry: number) => RawLabels;

const NOT_KNOWN = 0;
const SUFFIX = /_(?:total|count|sum|bucket|created)$/;

export class CreatedLines {
  /** Which metric a text of labels stands for; metrics count from 1. */
  readonly #metrics = new Map<string, number>();
  /** The same by the text of a whole line, which is repeated at the next scrape. */
  readonly #metricOfLine = new Map<string, number>();
  /** The same by entry of the target's cache. */
  #metricOf = new Int32Array(0);
  /** What the running scrape says, by metric. */
  readonly #startsMs = new Map<number, number>();
  /** Staged samples from here on have had no such line behind them. */
  #pendingFrom = 0;
  /** The metric whose start a sample took last. */
  #current = NOT_KNOWN;

  begin(): void {
    this.#startsMs.clear();
    this.#pendingFrom = 0;
    this.#current = NOT_KNOWN;
  }

  /**
   * @param line      the text up to the number
   * @param rawLabels of the line
   */
  take(
    line: string,
    rawLabels: () => RawLabels,
    startSeconds: number,
    staging: Staging,
    labelsOf: LabelsOfEntry,
  ): void {
    let metric = this.#metricOfLine.get(line);
    if (metric === undefined) {
      metric = this.#number(rawLabels());
      this.#metricOfLine.set(line, metric);
    }
    const startMs = Number.isFinite(startSeconds) ? Math.trunc(startSeconds * 1000) : 0;
    this.#settle(staging, labelsOf, metric, startMs);
    this.#startsMs.set(metric, startMs);
  }

  /** The body has been read; histograms that were put together of its lines are staged. */
  finish(staging: Staging, labelsOf: LabelsOfEntry): void {
    if (this.#startsMs.size > 0) {
      this.#settle(staging, labelsOf, NOT_KNOWN, 0);
      for (const staged of staging.histograms) {
        staged.startMs = this.#startsMs.get(this.#metricOfEntry(staged.entry, labelsOf)) ?? 0;
      }
    }
  }

  /** Entries have got other numbers. */
  forget(): void {
    this.#metricOf = new Int32Array(0);
    this.#metrics.clear();
    this.#metricOfLine.clear();
  }

  #settle(staging: Staging, labelsOf: LabelsOfEntry, metric: number, startMs: number): void {
    const { entries, count } = staging;
    for (let i = this.#pendingFrom; i < count; i++) {
      const own = this.#metricOfEntry(entries[i]!, labelsOf);
      if (own === this.#current) {
        staging.setStart(i, this.#startsMs.get(own)!);
      } else if (own === metric) {
        staging.setStart(i, startMs);
        this.#startsMs.set(own, startMs);
        this.#current = own;
      }
    }
    this.#pendingFrom = count;
  }

  #metricOfEntry(entry: number, labelsOf: LabelsOfEntry): number {
    if (entry >= this.#metricOf.length) {
      const larger = new Int32Array(Math.max(64, entry * 2));
      larger.set(this.#metricOf);
      this.#metricOf = larger;
    }
    let metric = this.#metricOf[entry]!;
    if (metric === NOT_KNOWN) {
      metric = this.#number(labelsOf(entry));
      this.#metricOf[entry] = metric;
    }
    return metric;
  }

  #number(raw: RawLabels): number {
    const texts: string[] = [];
    let isQuantile = false;
    for (let i = 2; i < raw.length; i += 2) {
      if (raw[i] === 'quantile') isQuantile = true;
      else if (raw[i] !== 'le') texts.push(raw[i]!, raw[i + 1]!);
    }
    const name = raw[1]!;
    const key = [isQuantile ? name : name.replace(SUFFIX, ''), ...texts].join('\0');
    let metric = this.#metrics.get(key);
    if (metric === undefined) {
      metric = this.#metrics.size + 1;
      this.#metrics.set(key, metric);
    }
    return metric;
  }
}
