/**
 * Rule file → checked groups, all of it or an error that says where and what.
 * Source: Prometheus documentation, recording and alerting rules; verdicts of promtool 3.14.
 */
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
import { readConfigText } from '../config/config-text.ts';
import { ConfigDocument } from '../config/document.ts';
import { duration, int, labelValue, orUnset, string } from '../config/scalar-types.ts';
import {
  errorOf,
  field,
  type Infer,
  list,
  mapOf,
  object,
  Place,
  readDocument,
  ReadFailure,
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

function groupType(options: RuleFileOptions) {
  const rule = ruleType((value: RuleValues, place) => checkRule(value, place, options));
  return object(
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
}

function fileType(options: RuleFileOptions) {
  return object({ groups: field(list(groupType(options)), []) }, ({ groups }, place) => {
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
  return parseRuleFile(readConfigText(file), file, options);
}

/** A group that is left out because of a mistake in it. */
export type QuarantinedGroup = {
  readonly file: string;
  /** Empty for what concerns the whole file. */
  readonly group: string;
  readonly error: string;
};

export type SoundGroups = {
  readonly groups: readonly GroupDefinition[];
  readonly quarantined: readonly QuarantinedGroup[];
};

/** As {@link loadRuleFile}, but a mistake costs only the group that it is in. */
export function loadSoundGroups(file: string, options: RuleFileOptions = {}): SoundGroups {
  let text = '';
  try {
    text = readConfigText(file);
    return { groups: parseRuleFile(text, file, options), quarantined: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const sound = soundGroups(text, file, options);
    if (sound.quarantined.length > 0) return sound;
    return { ...sound, quarantined: [{ file, group: '', error: messageOf(error) }] };
  }
}

/** Group by group; nothing where the file has no list of groups. */
function soundGroups(text: string, file: string, options: RuleFileOptions): SoundGroups {
  const groups: GroupDefinition[] = [];
  const quarantined: QuarantinedGroup[] = [];
  let document: ConfigDocument;
  try {
    document = new ConfigDocument(text, file);
  } catch (error) {
    if (error instanceof ConfigError) return { groups, quarantined };
    throw error;
  }
  const { root } = document;
  const entries = root?.kind === 'map' ? root.entries : [];
  const nodes = entries.find(({ key }) => key === 'groups')?.value;
  const type = groupType(options);
  for (const [index, node] of (nodes?.kind === 'list' ? nodes.items : []).entries()) {
    const place = new Place(document, node, `groups[${index}]`, []);
    let values: GroupValues | null = null;
    try {
      values = type.read(place);
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
    }
    if (values !== null && groups.some(({ name }) => name === values.name)) {
      place.complain(`groupname: ${JSON.stringify(values.name)} is repeated in the same file`);
    }
    if (values !== null && place.problems.length === 0) {
      groups.push(toGroup(values, file, options));
    } else {
      const name = node.kind === 'map' ? node.entries.find(({ key }) => key === 'name') : undefined;
      const group = name?.value.kind === 'scalar' ? name.value.text : `groups[${index}]`;
      quarantined.push({ file, group, error: errorOf(place.problems, document).message });
    }
  }
  return { groups, quarantined };
}

/** @throws ConfigError */
export function parseRuleFile(
  text: string,
  file: string,
  options: RuleFileOptions = {},
): GroupDefinition[] {
  const type = fileType(options);
  const document = new ConfigDocument(text, file);
  const { groups } = readDocument(type, document, () => type.initial());
  return groups.map((group) => toGroup(group, file, options));
}

type GroupValues = Infer<ReturnType<typeof groupType>>;

function toGroup(group: GroupValues, file: string, options: RuleFileOptions): GroupDefinition {
  return {
    file,
    name: group.name,
    intervalMs: group.interval === 0 ? null : group.interval,
    queryOffsetMs: group.query_offset,
    limit: Math.max(0, group.limit),
    rules: group.rules.map((rule) => toDefinition(rule, group.labels, options)),
  };
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
