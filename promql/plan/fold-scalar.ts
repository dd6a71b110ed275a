/** Scalars made of numbers alone become numbers. */
import { maxOf, minOf, scalarOperation } from './scalar-operation.ts';
import type { ScalarNode } from './nodes.ts';

export function foldScalar(node: ScalarNode): ScalarNode {
  const { grid, range } = node;
  const number = (value: number): ScalarNode => ({ kind: 'number', grid, range, value });
  switch (node.kind) {
    case 'scalar-negate':
      return node.operand.kind === 'number' ? number(-node.operand.value) : node;
    case 'scalar-binary': {
      const { left, right, operator } = node;
      if (left.kind !== 'number' || right.kind !== 'number') return node;
      return number(scalarOperation(operator, left.value, right.value));
    }
    case 'scalar-call': {
      const [a, b] = node.args;
      if (a?.kind !== 'number' || b?.kind !== 'number') return node;
      return number(node.name === 'min_of' ? minOf(a.value, b.value) : maxOf(a.value, b.value));
    }
    default:
      return node;
  }
}
