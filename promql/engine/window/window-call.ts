/** Runs a range function over every row. */
import type { Labels } from '../../../model/index.ts';
import { possibleNonCounter, possibleNonCounterLabel } from '../../annotations.ts';
import type { Grid, WindowCallNode, WindowNode } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { type Operator, presentCount } from '../operator.ts';
import { ABSENT, FLOAT, type RowBatch } from '../row-batch.ts';
import type { WindowRow, WindowRows } from '../select/window-rows.ts';
import type { Extension } from './extended-window.ts';
import { WINDOW_FUNCTIONS } from './registry.ts';
import type { WindowEnv, WindowFunction } from './window-function.ts';

/** Samples that may be worked on without a look at the clock: about 10 ms. */
const SLICE_SAMPLES = 2_000_000;
const COUNTER_FUNCTIONS: ReadonlySet<string> = new Set(['rate', 'increase']);
const COUNTER_SUFFIX = /_(?:total|sum|count|bucket)$/;

export class WindowCall implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  held = 0;
  readonly #rows: WindowRows;
  readonly #compute: WindowFunction;
  readonly #env: WindowEnv;
  readonly #context: QueryContext;
  /** Whether names are to be judged: only counters should be given to rate and increase. */
  readonly #judgesNames: boolean;
  /** The last name that a note was made about. */
  #noCounterName = '';
  #row = 0;

  constructor(
    node: WindowCallNode,
    rows: WindowRows,
    labels: readonly Labels[],
    dropsName: Uint8Array | null,
    params: readonly Float64Array[],
    context: QueryContext,
  ) {
    this.stepCount = node.grid.stepCount;
    this.labels = labels;
    this.dropsName = dropsName;
    this.#rows = rows;
    this.#compute = WINDOW_FUNCTIONS.get(node.name)!;
    this.#context = context;
    this.#judgesNames = COUNTER_FUNCTIONS.has(node.name);
    this.#env = {
      context,
      grid: node.grid,
      // Messages point at the first argument, which of this function alone is no range vector.
      range: node.name === 'quantile_over_time' ? node.paramRanges[0]! : rows.range,
      params,
      paramRanges: node.paramRanges,
      extension: extensionOf(node.window),
    };
  }

  next(out: RowBatch): boolean {
    out.start(this.#row);
    while (out.rowCount < out.rowCapacity && this.#rows.next()) {
      const at = out.rowCount * this.stepCount;
      const { row } = this.#rows;
      if (row.sampleTotal === 0) {
        out.present.fill(ABSENT, at, at + this.stepCount);
      } else {
        this.#computeRow(row, out, at);
        if (this.#judgesNames) this.#judgeName(out, at);
      }
      out.rowCount++;
      this.#row++;
      this.#context.tick();
    }
    const count = presentCount(out);
    this.held += count;
    this.#context.hold(count);
    // The samples of one window are held beside the results.
    this.#context.touch(this.#rows.row.lastWindowTotal);
    return out.rowCount > 0;
  }

  /** In slices of steps where the windows of one row are so large that a stop could not wait. */
  #computeRow(row: WindowRow, out: RowBatch, at: number): void {
    if (row.sampleTotal <= SLICE_SAMPLES) return this.#compute(row, out, at, this.#env);
    const sliceCount = Math.ceil(row.sampleTotal / SLICE_SAMPLES);
    const size = Math.max(1, Math.floor(this.stepCount / sliceCount));
    for (let from = 0; from < this.stepCount; from += size) {
      const to = Math.min(this.stepCount, from + size);
      this.#compute(sliceOfRow(row, from, to), out, at + from, sliceOfEnv(this.#env, from, to));
      this.#context.checkInterrupt();
    }
  }

  #judgeName(out: RowBatch, at: number): void {
    const { metricName, row } = this.#rows.row;
    const { features } = this.#context;
    if (metricName === '' || metricName === this.#noCounterName) return;
    if (features.typeAndUnitLabels) {
      const type = this.#rows.labels[row]!.get('__type__');
      if (type === 'counter' || type === 'histogram') return;
      if (!hasFloat(out, at, this.stepCount)) return;
      this.#context.annotate(possibleNonCounterLabel(metricName, type, this.#env.range));
      return;
    }
    if (COUNTER_SUFFIX.test(metricName) || !hasFloat(out, at, this.stepCount)) return;
    this.#context.annotate(possibleNonCounter(metricName, this.#env.range));
    this.#noCounterName = metricName;
  }
}

export function extensionOf(window: WindowNode): Extension | null {
  if (window.kind === 'subquery-window' || !(window.anchored || window.smoothed)) return null;
  return { kind: window.anchored ? 'anchored' : 'smoothed', lookbackMs: window.lookbackMs };
}

function sliceOfGrid(grid: Grid, from: number, to: number): Grid {
  return { ...grid, startMs: grid.startMs + from * grid.stepMs, stepCount: to - from };
}

function sliceOfRow(row: WindowRow, from: number, to: number): WindowRow {
  return Object.assign(Object.create(row) as WindowRow, {
    lookGrid: sliceOfGrid(row.lookGrid, from, to),
    starts: row.starts.subarray(from, to),
    ends: row.ends.subarray(from, to),
    hasWindowsOfRowBefore: false,
    rateTerms: null,
  });
}

function sliceOfEnv(env: WindowEnv, from: number, to: number): WindowEnv {
  return {
    ...env,
    grid: sliceOfGrid(env.grid, from, to),
    params: env.params.map((param) => param.subarray(from, to)),
  };
}

function hasFloat(out: RowBatch, at: number, stepCount: number): boolean {
  return out.present.subarray(at, at + stepCount).includes(FLOAT);
}
