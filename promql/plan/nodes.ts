/**
 * What a query comes down to once its times are known. Nodes refer to times by grids: the evenly
 * spaced timestamps at which something is evaluated. Offsets, `@`, durations and subquery steps are
 * numbers here; what does not change from step to step is evaluated on a grid of one step.
 */
import type { Matcher, SelectHints, TextRange } from '../../model/index.ts';
import type {
  AggregationOperator,
  ArithmeticOperator,
  BinaryOperator,
  ComparisonOperator,
  SetOperator,
  VectorMatching,
} from '../ast.ts';

export type Grid = {
  readonly startMs: number;
  /** The end that was asked for; the last step may come before it. */
  readonly endMs: number;
  /** 0 where all steps look at the same time, which `@` can ask for. */
  readonly stepMs: number;
  readonly stepCount: number;
};

/** Time of the last step. */
export function lastStepMs(grid: Grid): number {
  return grid.startMs + (grid.stepCount - 1) * grid.stepMs;
}

/** A selection of series. Equal selections over equal times are one source, read once. */
export type Source = {
  readonly matchers: readonly Matcher[];
  readonly hints: SelectHints;
  /** Labels that any node looks at; null for all. */
  labelNames: ReadonlySet<string> | null;
  /** Whether names, types and units of its series are taken off, which may make series equal. */
  dropsIdentity: boolean;
  /** How many nodes read it. */
  useCount: number;
};

type Node<Kind extends string> = {
  readonly kind: Kind;
  /** When it is evaluated. */
  readonly grid: Grid;
  /** Where it stands in the query. */
  readonly range: TextRange;
};

export type NumberNode = Node<'number'> & { readonly value: number };
/** `time()` */
export type TimeNode = Node<'time'>;
export type ScalarCallNode = Node<'scalar-call'> & {
  readonly name: 'min_of' | 'max_of';
  readonly args: readonly ScalarNode[];
};
/** `scalar(…)` */
export type ScalarOfNode = Node<'scalar-of'> & { readonly vector: VectorNode };
export type ScalarNegateNode = Node<'scalar-negate'> & { readonly operand: ScalarNode };
export type ScalarBinaryNode = Node<'scalar-binary'> & {
  readonly operator: BinaryOperator;
  readonly left: ScalarNode;
  readonly right: ScalarNode;
};
export type ScalarNode =
  | NumberNode
  | TimeNode
  | ScalarCallNode
  | ScalarOfNode
  | ScalarNegateNode
  | ScalarBinaryNode;

export type StringNode = Node<'string'> & { readonly value: string };

/** The newest sample at each time of `lookGrid`, which has as many steps as `grid`. */
export type SelectNode = Node<'select'> & {
  readonly source: Source;
  readonly lookGrid: Grid;
  readonly lookbackMs: number;
  /** Interpolates between the samples before and after. */
  readonly smoothed: boolean;
  readonly statsOnly: boolean;
};

/** What the windows of a range function are filled with. */
type WindowTimes = {
  /** Ends of the windows, one per step of `grid`. */
  readonly lookGrid: Grid;
  readonly windowMs: number;
};
export type SeriesWindowNode = Node<'series-window'> &
  WindowTimes & {
    readonly source: Source;
    readonly lookbackMs: number;
    readonly anchored: boolean;
    readonly smoothed: boolean;
    /** Only count, sum and resets of histograms are asked for. */
    readonly statsOnly: boolean;
  };
export type SubqueryWindowNode = Node<'subquery-window'> &
  WindowTimes & {
    /** Evaluated on the subquery's own grid. */
    readonly child: VectorNode;
  };
export type WindowNode = SeriesWindowNode | SubqueryWindowNode;

export type WindowCallNode = Node<'window-call'> & {
  readonly name: string;
  readonly window: WindowNode;
  readonly params: readonly ScalarNode[];
  /** Where the scalar arguments stand. */
  readonly paramRanges: readonly TextRange[];
};

/** Any other function that gives a vector. */
export type CallNode = Node<'call'> & {
  readonly name: string;
  readonly args: readonly PlanNode[];
  /** Where each argument stands. */
  readonly argRanges: readonly TextRange[];
  /** For `timestamp`: the argument is a selector and nothing else, so times are those of samples. */
  readonly looksAtSamples: boolean;
  /** For `absent`: labels that the equality matchers of the argument promise. */
  readonly promised: readonly (readonly [name: string, value: string])[];
};

/** `info(…)`: its own kind, because it selects series by what its argument gives. */
export type InfoNode = Node<'info'> & {
  readonly base: VectorNode;
  /** Source of the info series. */
  readonly source: Source;
  readonly lookGrid: Grid;
  readonly lookbackMs: number;
  /** Matchers on data labels, and on the name. */
  readonly dataMatchers: readonly Matcher[];
  readonly nameMatchers: readonly Matcher[];
};

export type AggregateNode = Node<'aggregate'> & {
  readonly operator: AggregationOperator;
  readonly child: VectorNode;
  readonly param: ScalarNode | StringNode | null;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly childRange: TextRange;
  readonly paramRange: TextRange | null;
};

export type VectorScalarNode = Node<'vector-scalar'> & {
  readonly operator: Exclude<BinaryOperator, SetOperator>;
  readonly vector: VectorNode;
  readonly scalar: ScalarNode;
  /** `1 - x` */
  readonly scalarIsLeft: boolean;
  readonly returnBool: boolean;
};

export type VectorVectorNode = Node<'vector-vector'> & {
  readonly operator: ArithmeticOperator | ComparisonOperator | BinaryOperator;
  readonly left: VectorNode;
  readonly right: VectorNode;
  readonly matching: VectorMatching;
  readonly returnBool: boolean;
};

export type SetNode = Node<'set'> & {
  readonly operator: SetOperator;
  readonly left: VectorNode;
  readonly right: VectorNode;
  readonly matching: VectorMatching;
};

export type NegateNode = Node<'negate'> & { readonly child: VectorNode };

/** The child has one step; every step of `grid` gets its result. */
export type InvariantNode = Node<'invariant'> & { readonly child: VectorNode };

export type VectorNode =
  | SelectNode
  | WindowCallNode
  | CallNode
  | InfoNode
  | AggregateNode
  | VectorScalarNode
  | VectorVectorNode
  | SetNode
  | NegateNode
  | InvariantNode;

export type PlanNode = VectorNode | ScalarNode | StringNode | WindowNode;

export type Plan = {
  readonly root: PlanNode;
  readonly grid: Grid;
  readonly sources: readonly Source[];
  /** Times that any source is read at; null when there is no source. */
  readonly span: { readonly minMs: number; readonly maxMs: number } | null;
};

const SCALAR_KINDS: ReadonlySet<string> = new Set([
  'number',
  'time',
  'scalar-call',
  'scalar-of',
  'scalar-negate',
  'scalar-binary',
]);

export function isScalarNode(node: PlanNode): node is ScalarNode {
  return SCALAR_KINDS.has(node.kind);
}

export function isWindowNode(node: PlanNode): node is WindowNode {
  return node.kind === 'series-window' || node.kind === 'subquery-window';
}

/** What a node is made from, in the order in which it is written. */
export function planChildren(node: PlanNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'number':
    case 'time':
    case 'string':
    case 'select':
    case 'series-window':
      return [];
    case 'scalar-call':
      return node.args;
    case 'scalar-of':
      return [node.vector];
    case 'scalar-negate':
      return [node.operand];
    case 'scalar-binary':
    case 'vector-vector':
    case 'set':
      return [node.left, node.right];
    case 'subquery-window':
    case 'negate':
    case 'invariant':
      return [node.child];
    case 'window-call':
      return [...node.params, node.window];
    case 'call':
      return node.args;
    case 'info':
      return [node.base];
    case 'aggregate':
      return node.param === null ? [node.child] : [node.param, node.child];
    case 'vector-scalar':
      return node.scalarIsLeft ? [node.scalar, node.vector] : [node.vector, node.scalar];
  }
}
