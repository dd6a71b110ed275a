/**
 * info: adds the data labels of info series to the series that they describe.
 * Source: PromQL function documentation (`info`); error texts observed on 3.14.
 */
import { type Labels, Matcher, METRIC_NAME } from '../../../model/index.ts';
import type { InfoNode } from '../../plan/nodes.ts';
import { ExecutionError } from '../../query-errors.ts';
import type { QueryContext } from '../context.ts';
import { isStale, newestPerStep, NO_SAMPLE } from '../kernels/latest.ts';
import { computedRows, materialize, type Operator } from '../operator.ts';
import { ABSENT, HISTOGRAM, RowTable } from '../row-batch.ts';
import { mergeEqualRows } from '../row-labels.ts';
import type { Scope } from '../scope.ts';
import { SeriesReader } from '../select/series-reader.ts';

/** What joins an info series to others; all its other labels are data. */
const IDENTIFYING_LABELS = ['instance', 'job'];

export function infoRows(
  node: InfoNode,
  base: Operator,
  scope: Scope,
  context: QueryContext,
): Operator {
  const table = materialize(base, context);
  const isInfo = base.labels.map((labels) => describesOthers(node, labels));
  const described = base.labels.filter((_, row) => !isInfo[row]);
  const info = InfoSeries.select(node, described, scope, context);
  const enriched = new EnrichedRows(node, base, info);
  const result = new ResultRows(table);
  for (let row = 0; row < table.rowCount; row++) {
    context.tick();
    for (let step = 0; step < table.stepCount; step++) {
      if (table.present[row * table.stepCount + step] === ABSENT) continue;
      const labels = isInfo[row] ? base.labels[row]! : enriched.labelsAt(row, step);
      if (labels !== null) result.add(row, step, labels);
    }
  }
  return mergeEqualRows(result.finish(base, context), 'step', context);
}

/** Whether a series is itself one of those that info looks for; it is passed on as it is. */
function describesOthers(node: InfoNode, labels: Labels): boolean {
  const name = labels.get(METRIC_NAME);
  return node.nameMatchers.every((matcher) => matcher.matches(name));
}

function identityOf(labels: Labels): string {
  return IDENTIFYING_LABELS.map((name) => labels.get(name)).join('\ud800');
}

/** The info series, and which of them there are at each step. */
class InfoSeries {
  readonly labels: readonly Labels[];
  /** Time of the sample of each row and step, NaN for none. */
  readonly #sampleMs: Float64Array;
  readonly #stepCount: number;
  /** Rows by identity, and therein by metric. */
  readonly #rows = new Map<string, Map<string, number[]>>();

  private constructor(labels: readonly Labels[], sampleMs: Float64Array, stepCount: number) {
    this.labels = labels;
    this.#sampleMs = sampleMs;
    this.#stepCount = stepCount;
    for (const [row, own] of labels.entries()) {
      const identity = identityOf(own);
      const byName = this.#rows.get(identity) ?? new Map<string, number[]>();
      this.#rows.set(identity, byName);
      const name = own.get(METRIC_NAME);
      byName.set(name, [...(byName.get(name) ?? []), row]);
    }
  }

  static select(
    node: InfoNode,
    described: readonly Labels[],
    scope: Scope,
    context: QueryContext,
  ): InfoSeries {
    const identifying = identityMatchers(described);
    const { lookGrid, lookbackMs } = node;
    const { stepCount } = lookGrid;
    if (identifying.length === 0) return new InfoSeries([], new Float64Array(0), stepCount);
    const matchers = [...node.source.matchers, ...identifying];
    const reader = new SeriesReader({ ...node.source, matchers, useCount: 1 }, context);
    const sampleMs = new Float64Array(reader.labels.length * stepCount).fill(NaN);
    const chosen = new Int32Array(stepCount);
    for (let row = 0; row < reader.labels.length; row++) {
      const samples = reader.samples(row);
      const { timestampsMs, values, valueHalves, count } = samples;
      const { startMs, stepMs } = lookGrid;
      newestPerStep(timestampsMs, count, startMs, stepMs, stepCount, lookbackMs, chosen);
      const { queryable, read } = scope.counts;
      for (let step = 0; step < stepCount; step++) {
        const index = chosen[step]!;
        if (index === NO_SAMPLE || isStale(values, valueHalves, index)) continue;
        sampleMs[row * stepCount + step] = timestampsMs[index]!;
        queryable[step]!++;
        read[step]!++;
      }
    }
    const info = new InfoSeries(reader.labels, sampleMs, stepCount);
    for (let step = 0; step < stepCount; step++) info.#requireUnique(step);
    return info;
  }

  /** The newest row of each metric that describes series of this identity at a step. */
  rowsFor(identity: string, step: number): number[] {
    const byName = this.#rows.get(identity);
    if (byName === undefined) return [];
    const rows: number[] = [];
    for (const candidates of byName.values()) {
      const newest = this.#newest(candidates, step);
      if (newest !== null) rows.push(newest);
    }
    return rows;
  }

  #newest(rows: readonly number[], step: number): number | null {
    let newest: number | null = null;
    for (const row of rows) {
      const time = this.#timeOf(row, step);
      if (Number.isNaN(time)) continue;
      if (newest === null || time > this.#timeOf(newest, step)) newest = row;
    }
    return newest;
  }

  #timeOf(row: number, step: number): number {
    return this.#sampleMs[row * this.#stepCount + step]!;
  }

  #requireUnique(step: number): void {
    for (const byName of this.#rows.values()) {
      for (const rows of byName.values()) {
        const seen = new Map<number, number>();
        for (const row of rows) {
          const time = this.#timeOf(row, step);
          if (Number.isNaN(time)) continue;
          const other = seen.get(time);
          if (other !== undefined) this.#failOnDuplicate(other, row, time);
          seen.set(time, row);
        }
      }
    }
  }

  #failOnDuplicate(existing: number, added: number, timeMs: number): never {
    const [a, b] = [this.labels[existing]!, this.labels[added]!];
    throw new ExecutionError(
      `found duplicate series for info metric: existing ${a.toString()} @ ${timeMs}, ` +
        `new ${b.toString()} @ ${timeMs}`,
    );
  }
}

/** Conditions that the info series of `described` meet; none where there is nothing to join by. */
function identityMatchers(described: readonly Labels[]): Matcher[] {
  return IDENTIFYING_LABELS.flatMap((name) => {
    const values = new Set(described.map((labels) => labels.get(name)).filter(Boolean));
    if (values.size === 0) return [];
    const alternatives = [...values].map((value) => value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&'));
    return [new Matcher(name, '=~', alternatives.join('|'))];
  });
}

/** Labels of base rows with what the info series of a step add. */
class EnrichedRows {
  readonly #base: Operator;
  readonly #info: InfoSeries;
  /** Data labels that were asked for; null for all. */
  readonly #wanted: ReadonlySet<string> | null;
  readonly #needsInfo: boolean;
  readonly #byKey = new Map<string, Labels>();

  constructor(node: InfoNode, base: Operator, info: InfoSeries) {
    this.#base = base;
    this.#info = info;
    const { dataMatchers } = node;
    this.#wanted =
      dataMatchers.length === 0 ? null : new Set(dataMatchers.map((matcher) => matcher.name));
    this.#needsInfo = dataMatchers.some((matcher) => !matcher.matchesEmpty);
  }

  /** Null where the sample is to go, because data that it must have is missing. */
  labelsAt(row: number, step: number): Labels | null {
    const base = this.#base.labels[row]!;
    const matching = this.#info.rowsFor(identityOf(base), step);
    if (matching.length === 0) return this.#needsInfo ? null : base;
    const key = `${row} ${matching.join(' ')}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const labels = this.#enrich(base, matching);
    this.#byKey.set(key, labels);
    return labels;
  }

  #enrich(base: Labels, matching: readonly number[]): Labels {
    const added = new Map<string, string>();
    for (const infoRow of matching) {
      for (const [name, value] of this.#info.labels[infoRow]!) {
        if (name === METRIC_NAME || (this.#wanted !== null && !this.#wanted.has(name))) continue;
        if (this.#wanted === null && IDENTIFYING_LABELS.includes(name)) continue;
        if (base.has(name)) continue;
        const known = added.get(name);
        if (known !== undefined && known !== value) {
          throw new ExecutionError(`conflicting label: ${name}`);
        }
        added.set(name, value);
      }
    }
    let labels = base;
    for (const [name, value] of added) labels = labels.with(name, value);
    return labels;
  }
}

/** Rows under labels that may change from step to step. */
class ResultRows {
  readonly #source: RowTable;
  readonly #targets = new Map<string, { row: number; labels: Labels; cells: number[] }>();

  constructor(source: RowTable) {
    this.#source = source;
  }

  add(row: number, step: number, labels: Labels): void {
    const key = `${row} ${labels.key}`;
    const target = this.#targets.get(key);
    if (target === undefined) this.#targets.set(key, { row, labels, cells: [step] });
    else target.cells.push(step);
  }

  finish(base: Operator, context: QueryContext): Operator {
    const targets = [...this.#targets.values()];
    const { stepCount } = this.#source;
    const table = new RowTable(targets.length, stepCount);
    targets.forEach(({ row, cells }, target) => {
      for (const step of cells) {
        const from = row * stepCount + step;
        const to = target * stepCount + step;
        table.present[to] = this.#source.present[from]!;
        table.values[to] = this.#source.values[from]!;
        if (table.present[to] === HISTOGRAM) table.histograms[to] = this.#source.histograms[from];
      }
    });
    const { dropsName } = base;
    const flags =
      dropsName === null ? null : Uint8Array.from(targets, ({ row }) => dropsName[row]!);
    return computedRows(
      table,
      targets.map(({ labels }) => labels),
      flags,
      [base],
      context,
    );
  }
}
