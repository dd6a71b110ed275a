/** A plan as text: one line per node, indented under what it feeds. */
import { formatDuration } from '../../model/index.ts';
import {
  type Grid,
  lastStepMs,
  type Plan,
  planChildren,
  type PlanNode,
  type Source,
} from './nodes.ts';

export function describePlan(plan: Plan): string {
  const lines: string[] = [];
  const visit = (node: PlanNode, depth: number): void => {
    lines.push('  '.repeat(depth) + describeNode(node));
    for (const child of planChildren(node)) visit(child, depth + 1);
  };
  visit(plan.root, 0);
  return lines.join('\n');
}

/** One line that says what a node does. */
export function describeNode(node: PlanNode): string {
  switch (node.kind) {
    case 'number':
      return `number ${node.value}`;
    case 'string':
      return `string ${JSON.stringify(node.value)}`;
    case 'time':
      return 'time of the step';
    case 'scalar-call':
      return node.name;
    case 'scalar-of':
      return 'scalar';
    case 'scalar-negate':
    case 'negate':
      return 'negate';
    case 'scalar-binary':
      return `scalar ${node.operator} scalar`;
    case 'select':
      return `select {${node.source.matchers.join(',')}} at ${describeGrid(node.lookGrid)}, looking back ${formatDuration(node.lookbackMs)}${node.smoothed ? ', smoothed' : ''}${ofSource(node.source)}`;
    case 'series-window':
      return `windows of ${formatDuration(node.windowMs)} of {${node.source.matchers.join(',')}} ending at ${describeGrid(node.lookGrid)}${node.anchored ? ', anchored' : ''}${node.smoothed ? ', smoothed' : ''}${ofSource(node.source)}`;
    case 'subquery-window':
      return `windows of ${formatDuration(node.windowMs)} of a subquery at ${describeGrid(node.child.grid)}`;
    case 'window-call':
    case 'call':
      return node.name;
    case 'info':
      return `info from {${node.source.matchers.join(',')}}`;
    case 'aggregate': {
      const grouping = `${node.without ? 'without' : 'by'} (${node.grouping.join(', ')})`;
      return `${node.operator} ${grouping}`;
    }
    case 'vector-scalar':
      return node.scalarIsLeft
        ? `scalar ${node.operator} vector`
        : `vector ${node.operator} scalar`;
    case 'vector-vector':
    case 'set': {
      const { on, labels, cardinality } = node.matching;
      return `${node.operator} ${on ? 'on' : 'ignoring'} (${labels.join(', ')}), ${cardinality}`;
    }
    case 'invariant':
      return 'the same for every step';
  }
}

function describeGrid(grid: Grid): string {
  const start = new Date(grid.startMs).toISOString();
  if (grid.stepCount === 1 || grid.stepMs === 0) return start;
  const end = new Date(lastStepMs(grid)).toISOString();
  return `${start} … ${end} every ${formatDuration(grid.stepMs)}`;
}

function ofSource({ labelNames, useCount }: Source): string {
  const names = [...(labelNames ?? [])].sort().join(', ');
  const labels = labelNames === null ? '' : `, labels ${names === '' ? 'none' : names}`;
  return `${labels}${useCount > 1 ? `, read once for ${useCount} uses` : ''}`;
}
