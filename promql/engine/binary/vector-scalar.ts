/** A vector and a scalar. */
import { assert, type Labels, power } from '../../../model/index.ts';
import { incompatibleTypesInBinary } from '../../annotations.ts';
import type { VectorScalarNode } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { type Operator, presentCount, releaseOperands } from '../operator.ts';
import { ABSENT, FLOAT, HISTOGRAM, type RowBatch } from '../row-batch.ts';
import { dropMetricIdentity } from '../row-labels.ts';
import {
  combineElements,
  comparesSamples,
  type ElementResult,
  newElementResult,
} from './element.ts';

export class VectorScalar implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  held = 0;
  readonly #node: VectorScalarNode;
  readonly #child: Operator;
  readonly #scalars: Float64Array;
  readonly #context: QueryContext;
  readonly #result: ElementResult = newElementResult();

  constructor(
    node: VectorScalarNode,
    child: Operator,
    scalars: Float64Array,
    context: QueryContext,
  ) {
    this.stepCount = child.stepCount;
    const keepsName = (comparesSamples(node.operator) && !node.returnBool) || isTrim(node);
    const rows = keepsName ? child : dropMetricIdentity(child, context);
    this.labels = rows.labels;
    this.dropsName = rows.dropsName;
    this.#node = node;
    this.#child = child;
    this.#scalars = scalars;
    this.#context = context;
  }

  next(out: RowBatch): boolean {
    if (!this.#child.next(out)) {
      releaseOperands([this.#child], this.stepCount, 1, this.#context);
      return false;
    }
    if (isTrim(this.#node)) this.#elementwise(out);
    else {
      if (out.hasHistograms) this.#histograms(out);
      this.#floats(out);
    }
    const count = presentCount(out);
    this.held += count;
    this.#context.hold(count);
    return true;
  }

  /** Histograms are left alone. */
  #floats(out: RowBatch): void {
    const { values, present, rowCount, stepCount } = out;
    const { operator, scalarIsLeft } = this.#node;
    const scalars = this.#scalars;
    if (comparesSamples(operator)) return this.#compare(out);
    for (let row = 0; row < rowCount; row++) {
      const at = row * stepCount;
      for (let step = 0; step < stepCount; step++) {
        const i = at + step;
        if (present[i] !== FLOAT) continue;
        const left = scalarIsLeft ? scalars[step]! : values[i]!;
        const right = scalarIsLeft ? values[i]! : scalars[step]!;
        switch (operator) {
          case '+':
            values[i] = left + right;
            break;
          case '-':
            values[i] = left - right;
            break;
          case '*':
            values[i] = left * right;
            break;
          case '/':
            values[i] = left / right;
            break;
          case '%':
            values[i] = left % right;
            break;
          case '^':
            values[i] = power(left, right);
            break;
          case 'atan2':
            values[i] = Math.atan2(left, right);
            break;
          default:
            assert(false, 'comparisons have their own loop');
        }
      }
    }
  }

  #compare(out: RowBatch): void {
    const { values, present, rowCount, stepCount } = out;
    const { scalarIsLeft, returnBool } = this.#node;
    // `2 < x` is `x > 2`: the vector's value is what remains.
    const operator = scalarIsLeft ? MIRRORED[this.#node.operator]! : this.#node.operator;
    const scalars = this.#scalars;
    for (let row = 0; row < rowCount; row++) {
      const at = row * stepCount;
      for (let step = 0; step < stepCount; step++) {
        const i = at + step;
        if (present[i] !== FLOAT) continue;
        const value = values[i]!;
        const scalar = scalars[step]!;
        const holds =
          operator === '>'
            ? value > scalar
            : operator === '<'
              ? value < scalar
              : operator === '>='
                ? value >= scalar
                : operator === '<='
                  ? value <= scalar
                  : operator === '=='
                    ? value === scalar
                    : value !== scalar;
        if (returnBool) values[i] = holds ? 1 : 0;
        else if (!holds) present[i] = ABSENT;
      }
    }
  }

  #histograms(out: RowBatch): void {
    const { present, rowCount, stepCount, histograms } = out;
    const { operator, scalarIsLeft, range } = this.#node;
    for (let i = 0; i < rowCount * stepCount; i++) {
      if (present[i] !== HISTOGRAM) continue;
      const element = { value: 0, histogram: histograms[i]! };
      const scalar = { value: this.#scalars[i % stepCount]!, histogram: null };
      const [left, right] = scalarIsLeft ? [scalar, element] : [element, scalar];
      combineElements(operator, left, right, this.#result, range);
      if (this.#result.note !== null) this.#context.annotate(this.#result.note);
      if (this.#result.keep) histograms[i] = this.#result.histogram!;
      else present[i] = ABSENT;
    }
  }

  /** Trimming: only histograms on the left have a result. */
  #elementwise(out: RowBatch): void {
    const { present, rowCount, stepCount } = out;
    const { operator, range } = this.#node;
    if (out.hasHistograms) this.#histograms(out);
    for (let i = 0; i < rowCount * stepCount; i++) {
      if (present[i] !== FLOAT) continue;
      present[i] = ABSENT;
      this.#context.annotate(incompatibleTypesInBinary('float', operator, 'float', range));
    }
  }
}

const MIRRORED: Readonly<Record<string, string>> = {
  '>': '<',
  '<': '>',
  '>=': '<=',
  '<=': '>=',
  '==': '==',
  '!=': '!=',
};

function isTrim({ operator }: VectorScalarNode): boolean {
  return operator === '</' || operator === '>/';
}
