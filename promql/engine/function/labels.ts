/** label_replace and label_join: the same samples under other labels. */
import {
  compileRegex,
  type CompiledRegex,
  isValidLabelName,
  type Labels,
  METRIC_NAME,
} from '../../../model/index.ts';
import { ExecutionError } from '../../query-errors.ts';
import type { QueryContext } from '../context.ts';
import type { Operator } from '../operator.ts';
import type { RowBatch } from '../row-batch.ts';
import { mergeEqualRows } from '../row-labels.ts';

/** Hands on the rows of another operator under new labels. */
export class RelabeledRows implements Operator {
  readonly stepCount: number;
  readonly labels: readonly Labels[];
  readonly dropsName: Uint8Array | null;
  readonly #child: Operator;

  constructor(child: Operator, labels: readonly Labels[], dropsName: Uint8Array | null) {
    this.stepCount = child.stepCount;
    this.labels = labels;
    this.dropsName = dropsName;
    this.#child = child;
  }

  get held(): number {
    return this.#child.held;
  }

  next(out: RowBatch): boolean {
    return this.#child.next(out);
  }
}

/** @throws ExecutionError when an argument makes no sense, or when rows become equal */
export function labelReplace(
  child: Operator,
  [target, replacement, source, pattern]: readonly string[],
  context: QueryContext,
): Operator {
  const regex = compilePattern(pattern!);
  requireLabelName('label_replace', target!);
  const template = parseTemplate(replacement!);
  return relabel(child, target!, context, (labels) => {
    const groups = regex.match(labels.get(source!));
    return groups === null ? null : expand(template, groups, regex.groupNames);
  });
}

export function labelJoin(
  child: Operator,
  [target, separator, ...sources]: readonly string[],
  context: QueryContext,
): Operator {
  for (const source of sources) requireLabelName('label_join', source, 'source');
  requireLabelName('label_join', target!);
  return relabel(child, target!, context, (labels) =>
    sources.map((name) => labels.get(name)).join(separator),
  );
}

function relabel(
  child: Operator,
  target: string,
  context: QueryContext,
  valueOf: (labels: Labels) => string | null,
): Operator {
  const dropsName = child.dropsName?.slice() ?? null;
  const labels = child.labels.map((own, row) => {
    const value = valueOf(own);
    if (value === null) return own;
    // A name that is set here is meant to stay.
    if (target === METRIC_NAME && dropsName !== null) dropsName[row] = 0;
    return own.with(target, value);
  });
  return mergeEqualRows(new RelabeledRows(child, labels, dropsName), 'step', context);
}

function compilePattern(pattern: string): CompiledRegex {
  try {
    return compileRegex(pattern);
  } catch (error) {
    const what = `invalid regular expression in label_replace(): ${pattern}`;
    throw new ExecutionError(what, { cause: error });
  }
}

function requireLabelName(functionName: string, name: string, role = 'destination'): void {
  if (isValidLabelName(name)) return;
  throw new ExecutionError(`invalid ${role} label name in ${functionName}(): ${name}`);
}

/** Text, or the number or name of a group. */
type TemplatePart = string | { readonly group: string };

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/** Takes `$1`, `${1}`, `$name`, `${name}` and `$$` apart; a `$` that is none of these is text. */
function parseTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  for (const match of template.matchAll(REFERENCE)) {
    parts.push(template.slice(at, match.index));
    const group = match[1] ?? match[2];
    parts.push(group === undefined ? '$' : { group });
    at = match.index + match[0].length;
  }
  parts.push(template.slice(at));
  return parts;
}

function expand(
  template: readonly TemplatePart[],
  groups: readonly (string | undefined)[],
  names: ReadonlyMap<string, number>,
): string {
  let text = '';
  for (const part of template) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const index = /^\d+$/.test(part.group) ? Number(part.group) : names.get(part.group);
    text += (index === undefined ? undefined : groups[index]) ?? '';
  }
  return text;
}
