/**
 * Takes an expression apart into the steps that the server takes, and says in words what each of
 * them does. Built on the grammar that the editor uses. Pure.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { functionMeaning } from './function-meanings.ts';

export type Step = {
  /** The part of the expression that this step is. */
  expr: string;
  meaning: string;
  /** What to ask to see what the step gives at one moment; a range is asked without its range. */
  probe: string | undefined;
  inputs: Step[];
};

/** Undefined when the text is no whole expression. */
export function explainSteps(text: string): Step | undefined {
  const tree = parser.parse(text);
  let isBroken = false;
  tree.iterate({
    enter: ({ type }) => {
      if (type.isError) isBroken = true;
    },
  });
  const root = tree.topNode.firstChild;
  return isBroken || root === null ? undefined : new Explainer(text).step(root);
}

const AGGREGATIONS: Readonly<Record<string, string>> = {
  sum: 'Adds up',
  avg: 'Averages',
  min: 'Takes the smallest of',
  max: 'Takes the largest of',
  count: 'Counts',
  group: 'Gives 1 for',
  stddev: 'Measures how far values spread, of',
  stdvar: 'Takes the variance of',
  count_values: 'Counts how often each value occurs among',
};

/** Aggregations that keep series as they are; % stands for their parameter. */
const CHOICES: Readonly<Record<string, string>> = {
  topk: 'Keeps the % largest series',
  bottomk: 'Keeps the % smallest series',
  limitk: 'Keeps any % series',
  limit_ratio: 'Keeps the share % of the series',
};

const COMPARISONS: Readonly<Record<string, string>> = {
  '==': 'equal to',
  '!=': 'different from',
  '>': 'greater than',
  '<': 'less than',
  '>=': 'at least',
  '<=': 'at most',
};

const ARITHMETIC: Readonly<Record<string, string>> = {
  '+': 'Adds both sides',
  '-': 'Subtracts the right side from the left',
  '*': 'Multiplies both sides',
  '/': 'Divides the left side by the right',
  '%': 'The remainder of dividing the left side by the right',
  '^': 'Raises the left side to the power of the right',
  atan2: 'The angle of the two sides, as atan2 gives it',
};

const SETS: Readonly<Record<string, string>> = {
  and: 'Keeps series of the left side that also exist on the right',
  or: 'Takes all series of the left side, and those of the right that the left lacks',
  unless: 'Keeps series of the left side that do not exist on the right',
};

const MATCHES: Readonly<Record<string, string>> = {
  '=': 'is',
  '!=': 'is not',
  '=~': 'matches',
  '!~': 'does not match',
};

/** Nodes that are steps of their own; everything between them is looked through. */
const EXPRESSIONS = new Set([
  'AggregateExpr',
  'BinaryExpr',
  'FunctionCall',
  'MatrixSelector',
  'NumberDurationLiteral',
  'OffsetExpr',
  'ParenExpr',
  'StepInvariantExpr',
  'StringLiteral',
  'SubqueryExpr',
  'UnaryExpr',
  'VectorSelector',
]);

class Explainer {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  step(node: SyntaxNode): Step {
    const expr = this.#of(node);
    const plain = (meaning: string, inputs: Step[] = []): Step => ({
      expr,
      meaning,
      probe: expr,
      inputs,
    });
    switch (node.name) {
      case 'ParenExpr':
        return this.step(this.#expressionsIn(node)[0]!);
      case 'VectorSelector':
        return plain(`${this.#selection(node)}, their newest value.`);
      case 'MatrixSelector': {
        const selector = node.getChild('VectorSelector')!;
        const range = this.#of(node.getChild('DurationExpr')!);
        const meaning = `${this.#selection(selector)}, all their samples of the last ${range}.`;
        return { expr, meaning, probe: this.#of(selector), inputs: [] };
      }
      case 'SubqueryExpr': {
        const [range, every] = node.getChildren('DurationExpr').map((one) => this.#of(one));
        const rhythm = every === undefined ? 'at the default rhythm' : `every ${every}`;
        const inputs = this.#inputs(node);
        const meaning = `Evaluates it ${rhythm} over the last ${range}, which gives a range.`;
        return { expr, meaning, probe: inputs[0]!.probe, inputs };
      }
      case 'OffsetExpr':
        return this.#moved(
          node,
          `as it was ${this.#of(node.getChild('OffsetDurationExpr')!)} earlier`,
        );
      case 'StepInvariantExpr':
        return this.#moved(node, 'always at the same moment, whatever the graph shows');
      case 'UnaryExpr':
        return plain('Changes the sign.', this.#inputs(node));
      case 'AggregateExpr':
        return plain(this.#aggregation(node), this.#inputs(node));
      case 'FunctionCall': {
        const name = this.#of(node.getChild('FunctionIdentifier')!);
        return plain(functionMeaning(name), this.#inputs(node));
      }
      case 'BinaryExpr':
        return plain(this.#operation(node), this.#inputs(node));
      case 'NumberDurationLiteral':
        return { ...plain('A number.'), probe: undefined };
      default:
        return { ...plain('A text.'), probe: undefined };
    }
  }

  #of(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to);
  }

  /** The nearest expressions below a node. */
  #expressionsIn(node: SyntaxNode): SyntaxNode[] {
    const found: SyntaxNode[] = [];
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (EXPRESSIONS.has(child.name)) found.push(child);
      else if (child.name === 'FunctionCallBody') found.push(...this.#expressionsIn(child));
    }
    return found;
  }

  /** Numbers and texts are arguments rather than steps; only what gives series is shown. */
  #inputs(node: SyntaxNode): Step[] {
    return this.#expressionsIn(node)
      .map((child) => this.step(child))
      .filter(({ probe }) => probe !== undefined);
  }

  /** The step inside, with the modifier around it. */
  #moved(node: SyntaxNode, how: string): Step {
    const inner = this.step(this.#expressionsIn(node)[0]!);
    const meaning = inner.meaning.replace(/\.$/, `, ${how}.`);
    const expr = this.#of(node);
    const modifier = expr.slice(expr.indexOf(inner.expr) + inner.expr.length);
    return { ...inner, expr, meaning, probe: inner.probe && `${inner.probe}${modifier}` };
  }

  #selection(selector: SyntaxNode): string {
    const matchers = selector.getChild('LabelMatchers');
    const conditions: string[] = [];
    for (let one = matchers?.firstChild ?? null; one !== null; one = one.nextSibling) {
      const operator = one.getChild('MatchOp');
      if (operator === null) continue;
      const label = one.firstChild!;
      conditions.push(
        `${this.#of(label)} ${MATCHES[this.#of(operator)]} ${this.#of(one.lastChild!)}`,
      );
    }
    // A name that is not classic stands quoted among the matchers.
    const name = selector.getChild('Identifier') ?? matchers?.getChild('QuotedLabelName') ?? null;
    const named = name === null ? 'All series' : `Series of ${this.#of(name)}`;
    return conditions.length === 0 ? named : `${named} whose ${conditions.join(' and ')}`;
  }

  #aggregation(node: SyntaxNode): string {
    const operator = this.#of(node.getChild('AggregateOp')!);
    const modifier = node.getChild('AggregateModifier');
    const [parameter] = this.#expressionsIn(node).map((one) => this.#of(one));
    const labels = this.#labels(modifier);
    const isBy = modifier === null || modifier.getChild('By') !== null;
    const chosen = CHOICES[operator];
    if (chosen !== undefined) {
      const what = chosen.replace('%', parameter ?? '');
      if (labels === '') return `${what}.`;
      return isBy
        ? `${what} for each ${labels}.`
        : `${what} of those that differ only in ${labels}.`;
    }
    const what =
      operator === 'quantile'
        ? `Takes the ${parameter} quantile of`
        : (AGGREGATIONS[operator] ?? `Applies ${operator} to`);
    if (isBy)
      return `${what} ${labels === '' ? 'all series together' : `series that have the same ${labels}`}.`;
    return labels === ''
      ? `${what} series with the same labels.`
      : `${what} series that differ only in ${labels}.`;
  }

  #labels(node: SyntaxNode | null): string {
    const grouping = node?.getChild('GroupingLabels') ?? null;
    if (grouping === null) return '';
    return this.#of(grouping)
      .slice(1, -1)
      .trim()
      .replaceAll(/\s*,\s*/g, ', ');
  }

  #operation(node: SyntaxNode): string {
    const [left, right] = this.#expressionsIn(node);
    const isBoolean = node.getChild('BoolModifier') !== null;
    const matching = node.getChild('MatchingModifierClause');
    const operator = this.#of(left!.nextSibling!).toLowerCase();
    const pairing =
      left!.name === 'NumberDurationLiteral' || right!.name === 'NumberDurationLiteral'
        ? ''
        : this.#pairing(matching);
    if (operator in SETS) return `${SETS[operator]}${pairing}.`;
    if (operator in COMPARISONS) {
      const relation = COMPARISONS[operator];
      return isBoolean
        ? `1 where the left side is ${relation} the right, 0 where not${pairing}.`
        : `Keeps values of the left side that are ${relation} the right${pairing}.`;
    }
    return `${ARITHMETIC[operator] ?? `Applies ${operator}`}${pairing}.`;
  }

  #pairing(matching: SyntaxNode | null): string {
    const labels = this.#labels(matching);
    const many = matching?.getChild('GroupLeft')
      ? ', where many on the left may share one on the right'
      : matching?.getChild('GroupRight')
        ? ', where many on the right may share one on the left'
        : '';
    if (matching?.getChild('On')) {
      return labels === ''
        ? `, pairing whatever there is${many}`
        : `, pairing series with the same ${labels}${many}`;
    }
    if (matching?.getChild('Ignoring') && labels !== '') {
      return `, pairing series with the same labels apart from ${labels}${many}`;
    }
    return `, pairing series with the same labels${many}`;
  }
}
