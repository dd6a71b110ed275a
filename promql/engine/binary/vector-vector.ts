/** Arithmetic, comparisons and trimming between two vectors. */
import type { Labels } from '../../../model/index.ts';
import type { Annotation } from '../../annotations.ts';
import type { VectorVectorNode } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { arithmeticRow, compareRow, type FloatRow } from '../kernels/arithmetic.ts';
import { computedRows, materialize, type Operator } from '../operator.ts';
import { ABSENT, FLOAT, RowTable } from '../row-batch.ts';
import { mergeEqualRows, type RowLabels } from '../row-labels.ts';
import {
  combineSamples,
  comparesSamples,
  elementAt,
  type ElementResult,
  newElementResult,
} from './element.ts';
import { dropsMetric, type MatchGroup, matchRows, resultLabels } from './match-rows.ts';
import { SteppedMatcher } from './stepped-matcher.ts';

/** Two rows that make one. */
type Pair = { readonly left: number; readonly right: number };

export function combineVectors(
  node: VectorVectorNode,
  left: Operator,
  right: Operator,
  context: QueryContext,
): Operator {
  const groups = matchRows(left.labels, right.labels, node.matching);
  const leftTable = materialize(left, context);
  const rightTable = materialize(right, context);
  const pairs = simplePairs(node, groups);
  const named = pairs && pairLabels(node, pairs, left, right, context);
  const result =
    named === null || pairs === null
      ? new SteppedMatcher(node, groups, left, right, leftTable, rightTable, context).run()
      : computedRows(
          combinePairs(node, pairs, leftTable, rightTable, context),
          named.labels,
          named.dropsName,
          [left, right],
          context,
        );
  return mergeEqualRows(result, 'step', context);
}

/**
 * The pairs, when every group settles for all steps what goes with what: no second row on a side
 * that may only have one, nothing to fill in. Null when steps must be looked at one by one.
 */
function simplePairs(node: VectorVectorNode, groups: readonly MatchGroup[]): Pair[] | null {
  const { cardinality, fillLeft, fillRight } = node.matching;
  if (fillLeft !== null || fillRight !== null) return null;
  const pairs: Pair[] = [];
  for (const { left, right } of groups) {
    const tooManyLeft = cardinality !== 'many-to-one' && left.length > 1;
    const tooManyRight = cardinality !== 'one-to-many' && right.length > 1;
    if (tooManyLeft || tooManyRight) return null;
    for (const leftRow of left)
      for (const rightRow of right) pairs.push({ left: leftRow, right: rightRow });
  }
  // In the order of the left side, which is what an instant query shows.
  return pairs.sort((a, b) => a.left - b.left || a.right - b.right);
}

/** Labels of the result; null when two rows of the "many" side would become one. */
function pairLabels(
  node: VectorVectorNode,
  pairs: readonly Pair[],
  left: Operator,
  right: Operator,
  context: QueryContext,
): RowLabels | null {
  const { matching } = node;
  const swapped = matching.cardinality === 'one-to-many';
  const many = swapped ? right : left;
  const one = swapped ? left : right;
  const delayed = context.features.delayedNameRemoval;
  const labels: Labels[] = [];
  const dropsName = new Uint8Array(pairs.length);
  const seen = new Set<string>();
  for (const [i, pair] of pairs.entries()) {
    const manyRow = swapped ? pair.right : pair.left;
    const oneRow = swapped ? pair.left : pair.right;
    const drops = dropsMetric(node);
    const own = resultLabels(
      many.labels[manyRow]!,
      one.labels[oneRow]!,
      matching,
      delayed ? drops.atOnce : drops.inTheEnd,
    );
    if (matching.cardinality !== 'one-to-one') {
      if (seen.has(own.key)) return null;
      seen.add(own.key);
    }
    labels.push(own);
    dropsName[i] = drops.inTheEnd ? 1 : 0;
  }
  return { labels, dropsName: delayed ? dropsName : null };
}

/** The remark of each step: Prometheus keeps the last one of an operation. */
type StepNotes = (Annotation | undefined)[];

function combinePairs(
  node: VectorVectorNode,
  pairs: readonly Pair[],
  left: RowTable,
  right: RowTable,
  context: QueryContext,
): RowTable {
  const { operator, returnBool } = node;
  const { stepCount } = left;
  context.checkCells(pairs.length * stepCount);
  const result = new RowTable(pairs.length, stepCount);
  const hasHistograms = left.hasHistograms || right.hasHistograms;
  const isTrim = operator === '</' || operator === '>/';
  const rowOf = (table: RowTable, row: number): FloatRow => ({
    values: table.values,
    present: table.present,
    at: row * stepCount,
  });
  const notes: StepNotes = [];
  for (let row = 0; row < pairs.length; row++) {
    const pair = pairs[row]!;
    context.tick();
    if (isTrim || hasHistograms) {
      combineMixedPair(node, pair, left, right, result, row, notes);
      continue;
    }
    const a = rowOf(left, pair.left);
    const b = rowOf(right, pair.right);
    const out = rowOf(result, row);
    if (comparesSamples(operator)) compareRow(operator, returnBool, a, b, out, stepCount);
    else arithmeticRow(operator, a, b, out, stepCount);
  }
  for (const note of notes) if (note) context.annotate(note);
  return result;
}

function combineMixedPair(
  node: VectorVectorNode,
  pair: Pair,
  left: RowTable,
  right: RowTable,
  result: RowTable,
  row: number,
  notes: StepNotes,
): void {
  const { stepCount } = left;
  const out = newElementResult();
  for (let step = 0; step < stepCount; step++) {
    const a = pair.left * stepCount + step;
    const b = pair.right * stepCount + step;
    if (left.present[a] === ABSENT || right.present[b] === ABSENT) continue;
    const { operator, returnBool, range } = node;
    combineSamples(operator, returnBool, elementAt(left, a), elementAt(right, b), out, range);
    if (out.note !== null) notes[step] = out.note;
    if (out.keep) setCell(result, row * stepCount + step, out);
  }
}

function setCell(table: RowTable, cell: number, { histogram, value }: ElementResult): void {
  if (histogram !== null) {
    table.setHistogram(cell, histogram);
  } else {
    table.values[cell] = value;
    table.present[cell] = FLOAT;
  }
}
