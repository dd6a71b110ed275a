/** An operator applied to one sample on either side. */
import {
  addHistograms,
  compactHistogram,
  divideHistogram,
  equalHistograms,
  type FloatHistogram,
  multiplyHistogram,
  newCombineNotes,
  subtractHistograms,
  type TextRange,
  trimHistogram,
} from '../../../model/index.ts';
import {
  type Annotation,
  counterResetCollision,
  incompatibleBucketLayout,
  incompatibleTypesInBinary,
  mismatchedCustomBuckets,
  type SampleKind,
} from '../../annotations.ts';
import type { BinaryOperator } from '../../ast.ts';
import { scalarOperation } from '../../plan/scalar-operation.ts';
import { HISTOGRAM, type RowTable } from '../row-batch.ts';

/** A float (`histogram` null) or a histogram. Reused. */
export type Element = { value: number; histogram: FloatHistogram | null };

/** The result of an operator. */
export type ElementResult = Element & {
  /** False where there is no result, or where a comparison does not hold. */
  keep: boolean;
  /** Whether the operator knows such samples; a comparison may be defined and not hold. */
  isDefined: boolean;
  /** What is to be said about it; of several remarks the last. */
  note: Annotation | null;
};

export function newElementResult(): ElementResult {
  return { value: 0, histogram: null, keep: false, isDefined: false, note: null };
}

/** Any two samples, `bool` taken into account. */
export function combineSamples(
  operator: BinaryOperator,
  returnBool: boolean,
  left: Element,
  right: Element,
  out: ElementResult,
  range: TextRange,
): void {
  out.note = null;
  const areFloats = left.histogram === null && right.histogram === null;
  if (areFloats && operator !== '</' && operator !== '>/') {
    combineFloats(operator, left.value, right.value, out);
  } else {
    combineElements(operator, left, right, out, range);
  }
  if (!returnBool || !out.isDefined || !COMPARES.has(operator)) return;
  out.value = out.keep ? 1 : 0;
  out.histogram = null;
  out.keep = true;
}

/**
 * `left operator right` for samples of which at least one is a histogram, or which are to be
 * trimmed; what cannot be done is noted and not kept.
 */
export function combineElements(
  operator: BinaryOperator,
  left: Element,
  right: Element,
  out: ElementResult,
  range: TextRange,
): void {
  out.keep = false;
  out.isDefined = false;
  out.note = null;
  out.histogram = null;
  const { histogram: a } = left;
  const { histogram: b } = right;
  if (a !== null && b !== null) {
    if (operator === '+' || operator === '-') {
      addOrSubtract(operator, a, b, out, range);
      return;
    }
    if (operator === '==' || operator === '!=') {
      out.isDefined = true;
      out.keep = equalHistograms(a, b) === (operator === '==');
      out.histogram = a;
      return;
    }
  } else if (a !== null) {
    if (operator === '*' || operator === '/') {
      const scale = operator === '*' ? multiplyHistogram : divideHistogram;
      out.histogram = compactHistogram(scale(a, right.value));
      out.isDefined = out.keep = true;
      return;
    }
    if (operator === '</' || operator === '>/') {
      out.histogram = trimHistogram(a, operator === '</' ? 'below' : 'above', right.value);
      out.isDefined = out.keep = true;
      return;
    }
  } else if (b !== null && operator === '*') {
    out.histogram = compactHistogram(multiplyHistogram(b, left.value));
    out.isDefined = out.keep = true;
    return;
  }
  out.note = incompatibleTypesInBinary(kindOf(a), operator, kindOf(b), range);
}

function combineFloats(
  operator: BinaryOperator,
  left: number,
  right: number,
  out: ElementResult,
): void {
  const value = scalarOperation(operator, left, right);
  out.histogram = null;
  out.isDefined = true;
  if (COMPARES.has(operator)) {
    out.keep = value === 1;
    out.value = left;
  } else {
    out.keep = true;
    out.value = value;
  }
}

const COMPARES: ReadonlySet<BinaryOperator> = new Set(['==', '!=', '>', '<', '>=', '<=']);

export function comparesSamples(operator: BinaryOperator): boolean {
  return COMPARES.has(operator);
}

export function elementAt(table: RowTable, cell: number): Element {
  const histogram = table.present[cell] === HISTOGRAM ? table.histograms[cell]! : null;
  return { value: table.values[cell]!, histogram };
}

function kindOf(histogram: FloatHistogram | null): SampleKind {
  return histogram === null ? 'float' : 'histogram';
}

function addOrSubtract(
  operator: '+' | '-',
  a: FloatHistogram,
  b: FloatHistogram,
  out: ElementResult,
  range: TextRange,
): void {
  const notes = newCombineNotes();
  const combine = operator === '+' ? addHistograms : subtractHistograms;
  const combined = combine(a, b, notes);
  if (combined === null) {
    out.note = incompatibleBucketLayout(operator, range);
    return;
  }
  const operation = operator === '+' ? 'addition' : 'subtraction';
  if (notes.counterResetCollision) {
    out.note = counterResetCollision(operation, range);
    return;
  }
  if (notes.boundsReconciled) out.note = mismatchedCustomBuckets(operation, range);
  out.histogram = compactHistogram(combined);
  out.isDefined = out.keep = true;
}
