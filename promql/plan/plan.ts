/** From syntax tree to plan: times become numbers, constants are folded, equal reads are shared. */
import type { TextRange } from '../../model/index.ts';
import {
  type Aggregation,
  type AtModifier,
  type Binary,
  type Call,
  type Duration,
  type Expr,
  isSetOperator,
  type MatrixSelector,
  type SetOperator,
  type Subquery,
  typeOf,
  unwrapParens,
  type VectorSelector,
  walk,
} from '../ast.ts';
import { ExecutionError } from '../query-errors.ts';
import { resolveOffset, resolveRange } from '../parser/durations.ts';
import { firstReader } from './first-reader.ts';
import { foldScalar } from './fold-scalar.ts';
import { infoMatchers } from './info-matchers.ts';
import { isInvariant } from './invariance.ts';
import { type LabelNeeds, labelsInside, labelsOfGroups, NO_LABELS } from './label-needs.ts';
import {
  type CallNode,
  type Grid,
  lastStepMs,
  type InfoNode,
  type Plan,
  type PlanNode,
  type ScalarNode,
  type SelectNode,
  type SeriesWindowNode,
  type SubqueryWindowNode,
  type VectorNode,
  type WindowCallNode,
  type WindowNode,
} from './nodes.ts';
import { promisedLabels } from './promised-labels.ts';
import { SourceTable } from './sources.ts';
import { checkExtendedRange, readsStatsOnly } from './window-rules.ts';

export type PlanSettings = {
  /** The text, for errors that point into it. */
  readonly query: string;
  /** `start()`, `end()` and the evaluation times of the whole query. */
  readonly grid: Grid;
  readonly isInstant: boolean;
  readonly lookbackMs: number;
  /** Resolution of subqueries that name none, by the length of their range. */
  readonly subqueryStepMs: (windowMs: number) => number;
};

/** @throws PromqlDurationError, ExecutionError */
export function planQuery(expr: Expr, settings: PlanSettings): Plan {
  const planner = new Planner(settings);
  planner.checkDurations(expr);
  const root = planner.plan(expr, settings.grid, NO_PARENT);
  return {
    root,
    grid: settings.grid,
    sources: planner.sources.all,
    span: planner.sources.span(),
  };
}

/** What a selector should know of its surroundings. */
type Parent = LabelNeeds & {
  /** The function or aggregation right around it. */
  readonly name: string;
  /** Whether a function around it only looks at count and sum of histograms. */
  readonly statsOnly: boolean;
};
const NO_PARENT: Parent = { name: '', statsOnly: false, labelNames: null, dropsIdentity: false };

class Planner {
  readonly sources = new SourceTable();
  readonly #settings: PlanSettings;
  readonly #timing: { readonly stepMs: number; readonly rangeMs: number };

  constructor(settings: PlanSettings) {
    this.#settings = settings;
    const { grid, isInstant } = settings;
    this.#timing = {
      stepMs: isInstant ? 0 : grid.stepMs,
      rangeMs: isInstant ? 0 : grid.endMs - grid.startMs,
    };
  }

  /** A duration that makes no sense is reported before anything else. */
  checkDurations(expr: Expr): void {
    walk(expr, (node) => {
      if (node.kind === 'MatrixSelector') this.#range(node.window);
      if (node.kind !== 'VectorSelector' && node.kind !== 'Subquery') return;
      resolveOffset(node.offset, this.#timing, this.#settings.query);
      if (node.kind === 'VectorSelector') return;
      this.#range(node.window);
      if (node.step !== null) this.#range(node.step);
    });
  }

  plan(expr: Expr, grid: Grid, parent: Parent): PlanNode {
    const inner = unwrapParens(expr);
    switch (inner.kind) {
      case 'StringLiteral':
        return { kind: 'string', grid, range: inner.range, value: inner.value };
      case 'MatrixSelector':
      case 'Subquery':
        return this.#window(inner, grid, parent);
      default:
        return typeOf(inner) === 'scalar'
          ? this.#scalar(inner, grid)
          : this.#vector(inner, grid, parent);
    }
  }

  // --- Scalars ---

  #scalar(expr: Expr, grid: Grid): ScalarNode {
    return foldScalar(this.#scalarNode(unwrapParens(expr), grid));
  }

  #scalarNode(expr: Expr, grid: Grid): ScalarNode {
    const { range } = expr;
    switch (expr.kind) {
      case 'NumberLiteral':
        return { kind: 'number', grid, range, value: expr.value };
      case 'Unary': {
        const operand = this.#scalar(expr.expr, grid);
        return expr.operator === '+' ? operand : { kind: 'scalar-negate', grid, range, operand };
      }
      case 'Binary': {
        const left = this.#scalar(expr.left, grid);
        const right = this.#scalar(expr.right, grid);
        if (expr.operator === '</' || expr.operator === '>/') {
          throw new ExecutionError(`operator "${expr.operator}" not allowed for Scalar operations`);
        }
        return { kind: 'scalar-binary', grid, range, operator: expr.operator, left, right };
      }
      case 'Call':
        return this.#scalarCall(expr, grid);
      default:
        throw new ExecutionError(`no scalar: ${expr.kind}`);
    }
  }

  #scalarCall(call: Call, grid: Grid): ScalarNode {
    const { range } = call;
    const number = (value: number): ScalarNode => ({ kind: 'number', grid, range, value });
    const whole = this.#settings.grid;
    switch (call.func.name) {
      case 'pi':
        return number(Math.PI);
      case 'time':
        return { kind: 'time', grid, range };
      case 'start':
        return number(whole.startMs / 1000);
      case 'end':
        return number(whole.endMs / 1000);
      case 'range':
        return number(this.#timing.rangeMs / 1000);
      case 'step':
        // A query of one moment has no step, even where one is given; durations do see that.
        return number(this.#timing.rangeMs === 0 ? 0 : this.#timing.stepMs / 1000);
      case 'scalar':
        return {
          kind: 'scalar-of',
          grid,
          range,
          vector: this.#vector(call.args[0]!, grid, { ...NO_PARENT, labelNames: NO_LABELS }),
        };
      case 'min_of':
      case 'max_of': {
        const args = call.args.map((arg) => this.#scalar(arg, grid));
        return { kind: 'scalar-call', grid, range, name: call.func.name, args };
      }
      default:
        throw new ExecutionError(`unknown function ${call.func.name}`);
    }
  }

  // --- Vectors ---

  #vector(expr: Expr, grid: Grid, parent: Parent): VectorNode {
    const inner = unwrapParens(expr);
    // A grid of several moments may have one step only, with a part of a step to its end.
    if (grid.endMs !== grid.startMs && grid.stepCount > 0 && isInvariant(inner)) {
      const once = { ...grid, endMs: grid.startMs, stepCount: 1 };
      const child = this.#vectorNode(inner, once, parent);
      if (grid.stepCount === 1) return child;
      return { kind: 'invariant', grid, range: inner.range, child };
    }
    return this.#vectorNode(inner, grid, parent);
  }

  #vectorNode(expr: Expr, grid: Grid, parent: Parent): VectorNode {
    const { range } = expr;
    switch (expr.kind) {
      case 'VectorSelector':
        return this.#select(expr, grid, parent);
      case 'Call':
        return this.#call(expr, grid, parent);
      case 'Aggregation':
        return this.#aggregate(expr, grid, parent);
      case 'Binary':
        return this.#binary(expr, grid, parent);
      case 'Unary': {
        const child = this.#vector(expr.expr, grid, { ...parent, dropsIdentity: true });
        return expr.operator === '+' ? child : { kind: 'negate', grid, range, child };
      }
      default:
        throw new ExecutionError(`no vector: ${expr.kind}`);
    }
  }

  #select(selector: VectorSelector, grid: Grid, parent: Parent): SelectNode {
    const { lookbackMs } = this.#settings;
    const lookGrid = this.#lookGrid(selector, grid);
    const { smoothed } = selector;
    const hints = {
      minMs: lookGrid.startMs - lookbackMs + 1,
      maxMs: lastStepMs(lookGrid) + (smoothed ? lookbackMs : 0),
      stepMs: this.#timing.stepMs,
      rangeMs: 0,
      function: parent.name,
    };
    const source = this.sources.find(selector.matchers, hints, parent);
    return {
      kind: 'select',
      grid,
      range: selector.range,
      source,
      lookGrid,
      lookbackMs,
      smoothed,
      statsOnly: parent.statsOnly,
    };
  }

  #call(call: Call, grid: Grid, parent: Parent): VectorNode {
    const { name } = call.func;
    const { range } = call;
    if (name === 'info') return this.#info(call, grid);
    const windowIndex = call.args.findIndex((arg) => typeOf(arg) === 'matrix');
    if (windowIndex >= 0) return this.#windowCall(call, windowIndex, grid, parent);
    const around: Parent = {
      name,
      statsOnly: readsStatsOnly(name, parent.statsOnly),
      labelNames: labelsInside(name, parent.labelNames),
      dropsIdentity: true,
    };
    const args = call.args.map((arg) => this.plan(arg, grid, around));
    return {
      kind: 'call',
      grid,
      range,
      name,
      args,
      argRanges: call.args.map(rangeInside),
      looksAtSamples: call.args.some((arg) => unwrapParens(arg).kind === 'VectorSelector'),
      promised: name === 'absent' ? promisedLabels(unwrapParens(call.args[0]!)) : [],
    } satisfies CallNode;
  }

  #windowCall(
    call: Call,
    windowIndex: number,
    grid: Grid,
    parent: Parent,
  ): WindowCallNode | CallNode {
    const { name } = call.func;
    const { range } = call;
    const windowExpr = unwrapParens(call.args[windowIndex]!) as MatrixSelector | Subquery;
    const window = this.#window(windowExpr, grid, {
      name,
      statsOnly: parent.statsOnly,
      labelNames: labelsInside(name, parent.labelNames),
      dropsIdentity: true,
    });
    if (windowExpr.kind === 'MatrixSelector') checkExtendedRange(name, windowExpr.vector);
    if (name === 'absent_over_time') {
      return {
        kind: 'call',
        grid,
        range,
        name,
        args: [window],
        argRanges: [windowExpr.range],
        looksAtSamples: false,
        promised: promisedLabels(windowExpr),
      };
    }
    const params = call.args.filter((_, i) => i !== windowIndex);
    return {
      kind: 'window-call',
      grid,
      range,
      name,
      window,
      params: params.map((param) => this.#scalar(param, grid)),
      paramRanges: params.map(rangeInside),
    };
  }

  #window(expr: MatrixSelector | Subquery, grid: Grid, parent: Parent): WindowNode {
    return expr.kind === 'Subquery'
      ? this.#subqueryWindow(expr, grid, parent)
      : this.#seriesWindow(expr, grid, parent);
  }

  #seriesWindow(matrix: MatrixSelector, grid: Grid, parent: Parent): SeriesWindowNode {
    const { vector } = matrix;
    const { lookbackMs } = this.#settings;
    const windowMs = this.#range(matrix.window);
    const lookGrid = this.#lookGrid(vector, grid);
    const { anchored, smoothed } = vector;
    const hints = {
      minMs: lookGrid.startMs - windowMs + 1 - (anchored || smoothed ? lookbackMs : 0),
      maxMs: lastStepMs(lookGrid) + (smoothed ? lookbackMs : 0),
      stepMs: this.#timing.stepMs,
      rangeMs: windowMs,
      function: parent.name,
    };
    const source = this.sources.find(vector.matchers, hints, parent);
    return {
      kind: 'series-window',
      grid,
      range: vector.range,
      source,
      lookGrid,
      windowMs,
      lookbackMs,
      anchored,
      smoothed,
      statsOnly: parent.statsOnly,
    };
  }

  #subqueryWindow(
    subquery: Subquery,
    grid: Grid,
    { labelNames, dropsIdentity }: LabelNeeds,
  ): SubqueryWindowNode {
    const windowMs = this.#range(subquery.window);
    const stepMs =
      subquery.step === null ? this.#settings.subqueryStepMs(windowMs) : this.#range(subquery.step);
    if (stepMs < 1) {
      throw new ExecutionError(
        'the step of a subquery must be at least 1ms, the unit of timestamps',
      );
    }
    const lookGrid = this.#lookGrid(subquery, grid);
    const child = this.#vector(
      subquery.expr,
      alignedGrid(lookGrid.startMs - windowMs, lookGrid.endMs, stepMs),
      { ...NO_PARENT, labelNames, dropsIdentity },
    );
    return {
      kind: 'subquery-window',
      grid,
      // Prometheus makes up a selector for the result of a subquery and gives it no position.
      range: { start: 0, end: 0 },
      lookGrid,
      windowMs,
      child,
    };
  }

  #aggregate(aggregation: Aggregation, grid: Grid, parent: Parent): VectorNode {
    const { operator, expr, param, grouping, without, range } = aggregation;
    const around: Parent = {
      name: operator,
      statsOnly: parent.statsOnly,
      labelNames: labelsOfGroups(aggregation),
      dropsIdentity: false,
    };
    return {
      kind: 'aggregate',
      grid,
      range,
      operator,
      child: this.#vector(expr, grid, around),
      param: param === null ? null : (this.plan(param, grid, NO_PARENT) as ScalarNode),
      grouping,
      without,
      childRange: rangeInside(expr),
      paramRange: param && rangeInside(param),
    };
  }

  #binary(binary: Binary, grid: Grid, parent: Parent): VectorNode {
    const { operator, returnBool, matching, range } = binary;
    // Where a histogram is cut, its buckets are looked at.
    const statsOnly = parent.statsOnly && operator !== '</' && operator !== '>/';
    const side: Parent = { ...NO_PARENT, statsOnly };
    if (matching === null) {
      const { labelNames } = parent;
      const scalarIsLeft = typeOf(binary.left) === 'scalar';
      const [scalar, vector] = scalarIsLeft
        ? [binary.left, binary.right]
        : [binary.right, binary.left];
      return {
        kind: 'vector-scalar',
        grid,
        range,
        operator: operator as Exclude<typeof operator, SetOperator>,
        vector: this.#vector(vector, grid, { ...side, labelNames, dropsIdentity: true }),
        scalar: this.#scalar(scalar, grid),
        scalarIsLeft,
        returnBool,
      };
    }
    const left = this.#vector(binary.left, grid, side);
    // Of these only what they are matched by is looked at.
    const isFilter = operator === 'and' || operator === 'unless';
    const labelNames = isFilter && matching.on ? new Set(matching.labels) : null;
    const right = this.#vector(binary.right, grid, { ...side, labelNames });
    return isSetOperator(operator)
      ? { kind: 'set', grid, range, operator, left, right, matching }
      : { kind: 'vector-vector', grid, range, operator, left, right, matching, returnBool };
  }

  #info(call: Call, grid: Grid): InfoNode {
    const [base, selector] = call.args as [Expr, Expr | undefined];
    const { lookbackMs } = this.#settings;
    const lookGrid = this.#infoLookGrid(base, grid);
    const matchers =
      selector === undefined ? [] : (unwrapParens(selector) as VectorSelector).matchers;
    const { name, data } = infoMatchers(matchers);
    const hints = {
      minMs: lookGrid.startMs - lookbackMs + 1,
      maxMs: lastStepMs(lookGrid),
      stepMs: this.#timing.stepMs,
      rangeMs: 0,
      function: 'info',
    };
    return {
      kind: 'info',
      grid,
      range: call.range,
      base: this.#vector(base, grid, NO_PARENT),
      source: this.sources.find([...name, ...data], hints, NO_PARENT),
      lookGrid,
      lookbackMs,
      dataMatchers: data,
      nameMatchers: name,
    };
  }

  /** Info series are looked up as of the time at which the samples of the argument were read. */
  #infoLookGrid(base: Expr, grid: Grid): Grid {
    let lookGrid = grid;
    let expr: Expr | undefined = base;
    while (expr !== undefined) {
      const inner = unwrapParens(expr);
      if (inner.kind === 'VectorSelector' || inner.kind === 'Subquery') {
        lookGrid = this.#lookGrid(inner, lookGrid);
      }
      expr = firstReader(inner);
    }
    return lookGrid;
  }

  // --- Times ---

  /** The times at which a selector looks, given those at which it is evaluated. */
  #lookGrid(expr: { offset: Duration; at: AtModifier | null }, grid: Grid): Grid {
    const offsetMs = resolveOffset(expr.offset, this.#timing, this.#settings.query);
    const { at } = expr;
    if (at === null) {
      if (offsetMs === 0) return grid;
      return { ...grid, startMs: grid.startMs - offsetMs, endMs: grid.endMs - offsetMs };
    }
    const whole = this.#settings.grid;
    const atMs = at === 'start' ? whole.startMs : at === 'end' ? whole.endMs : at;
    const lookMs = atMs - offsetMs;
    return { startMs: lookMs, endMs: lookMs, stepMs: 0, stepCount: grid.stepCount };
  }

  #range(duration: Duration): number {
    return resolveRange(duration, this.#timing, this.#settings.query);
  }
}

/** Multiples of the step in `(afterMs, endMs]`. */
function alignedGrid(afterMs: number, endMs: number, stepMs: number): Grid {
  let startMs = stepMs * Math.trunc(afterMs / stepMs);
  if (startMs <= afterMs) startMs += stepMs;
  const stepCount = Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1);
  return { startMs, endMs, stepMs, stepCount };
}

/** Annotations point at what parentheses enclose. */
function rangeInside(expr: Expr): TextRange {
  return unwrapParens(expr).range;
}
