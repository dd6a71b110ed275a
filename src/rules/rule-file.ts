/**
 * Rule file → checked groups, all of it or an error that says where and what.
 * Source: Prometheus documentation, recording and alerting rules; verdicts of promtool 3.14.
 */
import { readFileSync } from 'node:fs';
import {
  ConfigError,
  isValidLabelName,
  isValidMetricName,
  Labels,
  messageOf,
  METRIC_NAME,
  NarthexError,
  type NameScheme,
} from '../../model/index.ts';
import { type Expr, parseExpr, type ParserOptions, printExpr, walk } from '../../promql/index.ts';
import { ConfigDocument } from '../config/document.ts';
import { duration, int, labelValue, orUnset, string } from '../config/scalar-types.ts';
import {
  field,
  type Infer,
  list,
  mapOf,
  object,
  type Place,
  readDocument,
} from '../config/type.ts';
import type { GroupDefinition, RuleDefinition } from './rule-definition.ts';
import { AlertTemplate } from './template/index.ts';

export type RuleFileOptions = {
  readonly language?: ParserOptions;
  readonly nameScheme?: NameScheme;
};

const texts = mapOf(labelValue);

const ruleFields = {
  record: field(string, ''),
  alert: field(string, ''),
  expr: field(string, ''),
  for: field(orUnset(duration), null),
  keep_firing_for: field(orUnset(duration), null),
  labels: field(texts, {}),
  annotations: field(texts, {}),
};
type RuleValues = Infer<ReturnType<typeof ruleType>>;

function ruleType(check: (value: never, place: Place) => void) {
  return object(ruleFields, (value, place) => check(value as never, place));
}

function fileType(options: RuleFileOptions) {
  const rule = ruleType((value: RuleValues, place) => checkRule(value, place, options));
  const group = object(
    {
      name: field(string, ''),
      interval: field(duration, 0),
      query_offset: field(orUnset(duration), null),
      limit: field(int, 0),
      labels: field(texts, {}),
      rules: field(list(rule), []),
    },
    ({ name, labels }, place) => {
      if (name === '') place.complain('Groupname must not be empty', 'name');
      checkLabelNames(labels, place.at('labels'), options);
    },
  );
  return object({ groups: field(list(group), []) }, ({ groups }, place) => {
    const names = new Set<string>();
    groups.forEach(({ name }, index) => {
      if (names.has(name)) {
        const what = `groupname: ${JSON.stringify(name)} is repeated in the same file`;
        place.at('groups', index).complain(what, 'name');
      }
      names.add(name);
    });
  });
}

/** @throws ConfigError with every mistake, placed at the first */
export function loadRuleFile(file: string, options: RuleFileOptions = {}): GroupDefinition[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(messageOf(error), file, 0, 0, { cause: error });
  }
  return parseRuleFile(text, file, options);
}

/** @throws ConfigError */
export function parseRuleFile(
  text: string,
  file: string,
  options: RuleFileOptions = {},
): GroupDefinition[] {
  const type = fileType(options);
  const document = new ConfigDocument(text.replace(/^\ufeff/, ''), file);
  const { groups } = readDocument(type, document, () => type.initial());
  return groups.map((group) => ({
    file,
    name: group.name,
    intervalMs: group.interval === 0 ? null : group.interval,
    queryOffsetMs: group.query_offset,
    limit: Math.max(0, group.limit),
    rules: group.rules.map((rule) => toDefinition(rule, group.labels, options)),
  }));
}

function toDefinition(
  rule: RuleValues,
  groupLabels: Readonly<Record<string, string>>,
  { language }: RuleFileOptions,
): RuleDefinition {
  const expr = parseExpr(rule.expr, language);
  const query = printExpr(expr);
  const labels = Labels.fromObject({ ...groupLabels, ...rule.labels });
  if (rule.record !== '') {
    return { type: 'recording', name: rule.record, query, reads: metricsOf(expr), labels };
  }
  const annotations = Labels.fromObject(rule.annotations);
  const templates = (set: Labels) =>
    [...set].map(([name, value]) => [name, new AlertTemplate(rule.alert, value)] as const);
  return {
    type: 'alerting',
    name: rule.alert,
    query,
    reads: asksMore([...labels, ...annotations]) ? null : metricsOf(expr),
    labels,
    holdMs: rule.for ?? 0,
    keepFiringMs: rule.keep_firing_for ?? 0,
    annotations,
    labelTemplates: templates(labels),
    annotationTemplates: templates(annotations),
  };
}

/** Names of all metrics in `expr`; null when a selector may choose any, or a function more. */
function metricsOf(expr: Expr): ReadonlySet<string> | null {
  const names = new Set<string>();
  let isKnown = true;
  walk(expr, (part) => {
    if (part.kind === 'Call' && part.func.name === 'info') isKnown = false;
    if (part.kind !== 'VectorSelector') return;
    const name = part.matchers.find((m) => m.name === METRIC_NAME && m.operator === '=');
    if (name === undefined) isKnown = false;
    else names.add(name.value);
  });
  return isKnown ? names : null;
}

/** Templates can ask queries of their own. */
function asksMore(pairs: readonly (readonly [name: string, text: string])[]): boolean {
  return pairs.some(([, text]) => text.includes('{{') && text.includes('query'));
}

function checkRule(rule: RuleValues, place: Place, options: RuleFileOptions): void {
  const { record, alert, expr } = rule;
  if (record !== '' && alert !== '') {
    place.complain("only one of 'record' and 'alert' must be set", 'alert');
  }
  if (record === '' && alert === '') place.complain("one of 'record' or 'alert' must be set");
  if (expr === '') place.complain("field 'expr' must be set in rule", 'expr');
  else {
    complainOf(
      place,
      'expr',
      () => parseExpr(expr, options.language),
      'could not parse expression',
    );
  }
  if (record !== '') checkRecording(rule, place, options);
  checkLabelNames(rule.labels, place.at('labels'), options);
  for (const name of Object.keys(rule.annotations)) {
    if (name === '' || !isValidLabelName(name, options.nameScheme)) {
      place.at('annotations').complain(`invalid annotation name: ${name}`, name);
    }
  }
  if (alert === '') return;
  for (const key of ['labels', 'annotations'] as const) {
    const what = key === 'labels' ? 'label' : 'annotation';
    for (const [name, value] of Object.entries(rule[key])) {
      const check = () => new AlertTemplate(alert, value);
      complainOf(place.at(key), name, check, `${what} ${JSON.stringify(name)}`);
    }
  }
}

function checkRecording(rule: RuleValues, place: Place, { nameScheme }: RuleFileOptions): void {
  const { record } = rule;
  if (Object.keys(rule.annotations).length > 0) {
    place.complain("invalid field 'annotations' in recording rule", 'annotations');
  }
  for (const key of ['for', 'keep_firing_for'] as const) {
    if ((rule[key] ?? 0) !== 0) place.complain(`invalid field '${key}' in recording rule`, key);
  }
  if (!isValidMetricName(record, nameScheme)) {
    place.complain(`invalid recording rule name: ${record}`, 'record');
  }
  if (/[{}]/.test(record)) {
    const what = 'braces present in the recording rule name; should it be in expr?';
    place.complain(`${what}: ${record}`, 'record');
  }
}

function checkLabelNames(
  labels: Readonly<Record<string, string>>,
  place: Place,
  { nameScheme }: RuleFileOptions,
): void {
  for (const name of Object.keys(labels)) {
    if (name === '' || name === METRIC_NAME || !isValidLabelName(name, nameScheme)) {
      place.complain(`invalid label name: ${name}`, name);
    }
  }
}

/** Runs `check`; an error of ours becomes a mistake at the entry `key` of `place`. */
function complainOf(place: Place, key: string, check: () => unknown, what: string): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof NarthexError)) throw error;
    place.complain(`${what}: ${messageOf(error)}`, key);
  }
}
