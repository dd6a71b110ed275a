/** Plan nodes become operators. Series are selected here, so that all labels are known. */
import type {
  AggregateNode,
  CallNode,
  Grid,
  PlanNode,
  ScalarNode,
  SelectNode,
  Source,
  StringNode,
  VectorNode,
  WindowCallNode,
  WindowNode,
} from '../plan/nodes.ts';
import { isScalarNode } from '../plan/nodes.ts';
import { maxOf, minOf, scalarOperation } from '../plan/scalar-operation.ts';
import { aggregateRows } from './aggregate/aggregate.ts';
import { countValuesRows, quantileRows } from './aggregate/by-value.ts';
import { selectRows } from './aggregate/select-rows.ts';
import { filterRows, uniteRows } from './binary/sets.ts';
import { VectorScalar } from './binary/vector-scalar.ts';
import { combineVectors } from './binary/vector-vector.ts';
import type { QueryContext } from './context.ts';
import {
  FLOAT_FUNCTIONS,
  FloatMap,
  PARAMETERIZED_FUNCTIONS,
  ParameterizedFloatMap,
} from './function/elementwise.ts';
import { HISTOGRAM_FUNCTIONS, HistogramMap } from './function/histogram-map.ts';
import {
  checkQuantiles,
  estimateHistograms,
  fractionEstimate,
  quantileEstimate,
  quantileLabel,
} from './function/histogram-quantile.ts';
import { infoRows } from './function/info.ts';
import { labelJoin, labelReplace, RelabeledRows } from './function/labels.ts';
import { Negated } from './function/negate.ts';
import { sortRows } from './function/order.ts';
import { absentOverTimeRows, absentRows, vectorOf } from './function/presence.ts';
import { scalarOf } from './function/scalar-of.ts';
import { StepTimes } from './function/step-times.ts';
import { RepeatedStep } from './invariant.ts';
import { emptyOperator, materialize, type Operator } from './operator.ts';
import {
  dropMetricIdentity,
  IDENTITY_LABELS,
  mergeEqualRows,
  type Overlap,
  shareMetricIdentity,
} from './row-labels.ts';
import { Scope } from './scope.ts';
import { SeriesReader } from './select/series-reader.ts';
import { SubqueryRows } from './select/subquery.ts';
import { type SelectorYield, VectorSelector } from './select/vector-selector.ts';
import { SeriesWindowRows, type WindowRows } from './select/window-rows.ts';
import { NAME_KEEPING_WINDOW_FUNCTIONS } from './window/registry.ts';
import { WindowCall } from './window/window-call.ts';

export class Builder {
  readonly #context: QueryContext;
  readonly #readers = new Map<Source, SeriesReader>();

  constructor(context: QueryContext) {
    this.#context = context;
  }

  vector(node: VectorNode, scope: Scope): Operator {
    const context = this.#context;
    // The window of a subquery may hold none of its steps; nothing within it is looked at then.
    if (node.grid.stepCount === 0) return emptyOperator(0);
    switch (node.kind) {
      case 'select':
        return this.#selector(node, scope, 'value');
      case 'window-call':
        return this.#windowCall(node, scope);
      case 'call':
        return this.#call(node, scope);
      case 'info':
        return infoRows(node, this.vector(node.base, scope), scope, context);
      case 'aggregate':
        return this.#aggregate(node, scope);
      case 'vector-scalar': {
        const child = this.vector(node.vector, scope);
        const rows = new VectorScalar(node, child, this.scalar(node.scalar, scope), context);
        return this.#distinct(rows, child, 'step');
      }
      case 'vector-vector': {
        const left = this.vector(node.left, scope);
        return combineVectors(node, left, this.vector(node.right, scope), context);
      }
      case 'set': {
        const left = this.vector(node.left, scope);
        const right = this.vector(node.right, scope);
        return node.operator === 'or'
          ? uniteRows(left, right, node.matching, context)
          : filterRows(left, right, node.matching, node.operator, context);
      }
      case 'negate': {
        const child = this.vector(node.child, scope);
        return this.#distinct(new Negated(child, context), child, 'step');
      }
      case 'invariant':
        return this.#invariant(node.grid, scope, node.child.grid, (once) =>
          this.vector(node.child, once),
        );
    }
  }

  /** Numbers of a scalar, one per step. */
  scalar(node: ScalarNode, scope: Scope): Float64Array {
    const { grid } = scope;
    const values = new Float64Array(grid.stepCount);
    switch (node.kind) {
      case 'number':
        return values.fill(node.value);
      case 'time':
        return values.map((_, step) => (grid.startMs + step * grid.stepMs) / 1000);
      case 'scalar-of':
        return scalarOf(this.vector(node.vector, scope), this.#context);
      case 'scalar-negate':
        return this.scalar(node.operand, scope).map((value) => -value);
      case 'scalar-call': {
        const [a, b] = node.args.map((arg) => this.scalar(arg, scope));
        const choose = node.name === 'min_of' ? minOf : maxOf;
        return values.map((_, step) => choose(a![step]!, b![step]!));
      }
      case 'scalar-binary': {
        const left = this.scalar(node.left, scope);
        const right = this.scalar(node.right, scope);
        return values.map((_, step) => scalarOperation(node.operator, left[step]!, right[step]!));
      }
    }
  }

  /** The rows that a range vector consists of. */
  window(node: WindowNode, scope: Scope): WindowRows {
    if (node.kind === 'series-window') {
      return new SeriesWindowRows(node, this.#reader(node.source), scope);
    }
    const inner = new Scope(node.child.grid);
    return new SubqueryRows(node, this.vector(node.child, inner), inner, scope, this.#context);
  }

  #reader(source: Source): SeriesReader {
    let reader = this.#readers.get(source);
    if (reader === undefined) {
      reader = new SeriesReader(source, this.#context);
      this.#readers.set(source, reader);
    }
    return reader;
  }

  #selector(node: SelectNode, scope: Scope, yields: SelectorYield): Operator {
    return new VectorSelector(node, this.#reader(node.source), scope, this.#context, yields);
  }

  #invariant(
    grid: Grid,
    scope: Scope,
    onceGrid: Grid,
    build: (scope: Scope) => Operator,
  ): Operator {
    const once = new Scope(onceGrid);
    return new RepeatedStep(build(once), once, scope, grid.stepCount, this.#context);
  }

  /** Rows that lost their names and may have become equal. */
  #distinct(rows: Operator, before: Operator, overlap: Overlap): Operator {
    if (rows.labels === before.labels || shareMetricIdentity(before.labels)) return rows;
    return mergeEqualRows(rows, overlap, this.#context);
  }

  /** @param ignoresIdentity  nobody will look at name, type and unit of the rows */
  #windowCall(node: WindowCallNode, scope: Scope, ignoresIdentity = false): Operator {
    const context = this.#context;
    const rows = this.window(node.window, scope);
    const params = node.params.map((param) => this.scalar(param, scope));
    const keepsName = NAME_KEEPING_WINDOW_FUNCTIONS.has(node.name);
    const staysDistinct = keepsName || shareMetricIdentity(rows.labels);
    const keepsLabels =
      keepsName || (ignoresIdentity && staysDistinct && !context.features.delayedNameRemoval);
    const { labels, dropsName } = keepsLabels ? rows : dropMetricIdentity(rows, context);
    const call = new WindowCall(node, rows, labels, dropsName, params, context);
    return staysDistinct ? call : mergeEqualRows(call, 'series', context);
  }

  /** What is aggregated. Names need not be taken off, row by row, for groups that do not have them. */
  #aggregated({ child, grouping, without }: AggregateNode, scope: Scope): Operator {
    const ignoresIdentity = !without && !grouping.some((name) => IDENTITY_LABELS.has(name));
    return child.kind === 'window-call'
      ? this.#windowCall(child, scope, ignoresIdentity)
      : this.vector(child, scope);
  }

  #aggregate(node: AggregateNode, scope: Scope): Operator {
    const context = this.#context;
    const { operator, param } = node;
    switch (operator) {
      case 'topk':
      case 'bottomk':
      case 'limitk':
      case 'limit_ratio': {
        const values = this.scalar(param as ScalarNode, scope);
        return selectRows(node, this.vector(node.child, scope), values, context);
      }
      case 'quantile': {
        const values = this.scalar(param as ScalarNode, scope);
        return quantileRows(node, this.#aggregated(node, scope), values, context);
      }
      case 'count_values': {
        const { value } = param as StringNode;
        return countValuesRows(node, this.vector(node.child, scope), value, context);
      }
      default:
        return aggregateRows(node, operator, this.#aggregated(node, scope), context);
    }
  }

  #call(node: CallNode, scope: Scope): Operator {
    const context = this.#context;
    const { name, args } = node;
    if (name === 'absent_over_time') {
      return absentOverTimeRows(this.window(args[0] as WindowNode, scope), node.promised, context);
    }
    if (name === 'vector') return vectorOf(this.scalar(args[0] as ScalarNode, scope));
    if (name === 'timestamp' || name === 'start_timestamp') return this.#times(node, scope);
    if (name.startsWith('histogram_')) return this.#histogramCall(node, scope);
    // Calendar functions without argument look at the evaluation time.
    const child =
      args.length === 0
        ? vectorOf(this.scalar({ kind: 'time', grid: node.grid, range: node.range }, scope))
        : this.vector(args[0] as VectorNode, scope);
    const strings = args.flatMap((arg) => (arg.kind === 'string' ? [arg.value] : []));
    const floatMap = FLOAT_FUNCTIONS.get(name);
    if (floatMap) return this.#distinct(new FloatMap(floatMap, child, context), child, 'step');
    const parameterized = PARAMETERIZED_FUNCTIONS.get(name);
    if (parameterized) {
      const params = scalarsOf(args).map((arg) => this.scalar(arg, scope));
      const rows = new ParameterizedFloatMap(parameterized, params, child, context);
      return this.#distinct(rows, child, 'step');
    }
    switch (name) {
      case 'absent':
        return absentRows(child, node.promised, context);
      case 'label_replace':
        return labelReplace(child, strings, context);
      case 'label_join':
        return labelJoin(child, strings, context);
      case 'sort':
      case 'sort_desc':
      case 'sort_by_label':
      case 'sort_by_label_desc':
        return sortRows(name, child, strings, node.grid, node.range, context);
      default:
        throw new TypeError(`no such function: ${name}`);
    }
  }

  #histogramCall(node: CallNode, scope: Scope): Operator {
    const context = this.#context;
    const { name, args, argRanges } = node;
    const childIndex = args.findIndex((arg) => !isScalarNode(arg) && arg.kind !== 'string');
    const childRange = argRanges[childIndex]!;
    const params = scalarsOf(args).map((arg) => this.scalar(arg, scope));
    const child = this.vector(args[childIndex] as VectorNode, scope);
    const map = HISTOGRAM_FUNCTIONS.get(name);
    if (map) return this.#distinct(new HistogramMap(map, child, context), child, 'step');
    if (name === 'histogram_fraction') {
      const [lowers, uppers] = params as [Float64Array, Float64Array];
      const estimate = fractionEstimate(lowers, uppers, childRange, context);
      const column = { estimate, labelName: '', labelAt: null };
      return estimateHistograms(child, [column], childRange, context);
    }
    const labelName = name === 'histogram_quantiles' ? (args[1] as StringNode).value : '';
    const columns = params.map((quantiles, i) => {
      const paramRange = argRanges[args.length - params.length + (childIndex === 0 ? i : i - 1)]!;
      checkQuantiles(quantiles, paramRange, context);
      const estimate = quantileEstimate(quantiles, scope.grid, childRange, context);
      const labelAt = labelName === '' ? null : (step: number) => quantileLabel(quantiles[step]!);
      return { estimate, labelName, labelAt };
    });
    return estimateHistograms(child, columns, childRange, context);
  }

  /** timestamp and start_timestamp look at samples themselves where a selector stands inside. */
  #times(node: CallNode, scope: Scope): Operator {
    const context = this.#context;
    const arg = node.args[0] as VectorNode;
    const isStart = node.name === 'start_timestamp';
    const select = arg.kind === 'invariant' ? arg.child : arg;
    const isSelect = node.looksAtSamples && select.kind === 'select';
    if (isStart && !(context.features.startTimestamps && isSelect)) {
      // No result, but what the argument has to say about itself.
      materialize(this.vector(arg, scope), context);
      return emptyOperator(node.grid.stepCount);
    }
    if (!isSelect) {
      const child = this.vector(arg, scope);
      return this.#distinct(new StepTimes(child, scope.grid, context), child, 'step');
    }
    const yields = isStart ? 'start-timestamp' : 'timestamp';
    const rows =
      arg.kind === 'invariant'
        ? this.#invariant(arg.grid, scope, select.grid, (once) =>
            this.#selector(select, once, yields),
          )
        : this.#selector(select, scope, yields);
    const { labels, dropsName } = dropMetricIdentity(rows, context);
    return this.#distinct(new RelabeledRows(rows, labels, dropsName), rows, 'step');
  }
}

function scalarsOf(args: readonly PlanNode[]): ScalarNode[] {
  return args.filter(isScalarNode);
}
