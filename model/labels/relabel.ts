/**
 * Relabelling: rules that rewrite a label set or drop it. Used on targets before they are scraped,
 * on scraped series, on alerts and on what is sent to remote storage.
 * Source: Prometheus configuration documentation, `<relabel_config>`.
 */
import { ValueError } from '../errors.ts';
import { md5Low64 } from '../bytes/md5.ts';
import { Labels, LabelsBuilder, quoteText } from './labels.ts';
import { isValidLabelName, type NameScheme } from './name-rules.ts';
import { compileRegex, type CompiledRegex } from './regex.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** One rule as configured; plain data. */
export type RelabelConfig = {
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  /** Source text of an RE2 expression; anchored at both ends when it is used. */
  readonly regex: string;
  /** For hashmod; 0 when not set. */
  readonly modulus: number;
  /** Empty when not set. */
  readonly targetLabel: string;
  readonly replacement: string;
  readonly action: RelabelAction;
};

export const DEFAULT_RELABEL_CONFIG: RelabelConfig = {
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
  action: 'replace',
};

/** A template with group references such as `$1` and `${name}` in a legacy label name. */
const LEGACY_TEMPLATE = /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:\w|\$(?:\{\w+\}|\w+))*$/;
const isDefault = (config: RelabelConfig, key: keyof RelabelConfig) =>
  config[key] === DEFAULT_RELABEL_CONFIG[key];

/**
 * Checks what can be checked before any label is seen, in Prometheus's words.
 * @throws ValueError
 */
export function checkRelabelConfig(config: RelabelConfig, scheme: NameScheme = 'utf8'): void {
  const { action, targetLabel, replacement, modulus } = config;
  const fail = (what: string): never => {
    throw new ValueError(what);
  };
  if (!RELABEL_ACTIONS.includes(action)) fail(`unknown relabel action ${quoteText(action)}`);
  for (const name of config.sourceLabels) {
    if (!isValidLabelName(name, scheme)) fail(`${quoteText(name)} is not a valid label name`);
  }
  compileRegex(config.regex);
  if (action === 'hashmod' && modulus === 0) {
    fail('relabel configuration for hashmod requires non-zero modulus');
  }
  if (NEEDS_TARGET.has(action) && targetLabel === '') {
    const what = `${action} action`;
    fail(`relabel configuration for ${what} requires 'target_label' value`);
  }
  if (NEEDS_TARGET.has(action)) {
    const isTemplate = action === 'replace';
    const valid =
      scheme === 'legacy' && isTemplate
        ? LEGACY_TEMPLATE.test(targetLabel)
        : isValidLabelName(targetLabel, scheme);
    if (!valid) fail(`${quoteText(targetLabel)} is invalid 'target_label' for ${action} action`);
  }
  if (WITHOUT_REPLACEMENT.has(action) && !isDefault(config, 'replacement')) {
    fail(`'replacement' can not be set for ${action} action`);
  }
  if (action === 'labelmap') {
    const valid = scheme === 'legacy' ? LEGACY_TEMPLATE.test(replacement) : replacement !== '';
    if (!valid) fail(`${quoteText(replacement)} is invalid 'replacement' for labelmap action`);
  }
  if (action === 'keepequal' || action === 'dropequal') {
    const extra = (['regex', 'modulus', 'separator'] as const).some((k) => !isDefault(config, k));
    if (extra) {
      fail(
        `${action} action requires only 'source_labels' and \`target_label\`, and no other fields`,
      );
    }
  }
  if (action === 'labeldrop' || action === 'labelkeep') {
    const extra =
      config.sourceLabels.length > 0 ||
      (['modulus', 'targetLabel', 'separator', 'replacement'] as const).some(
        (key) => !isDefault(config, key),
      );
    if (extra) fail(`${action} action requires only 'regex', and no other fields`);
  }
}

const NEEDS_TARGET: ReadonlySet<RelabelAction> = new Set([
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
]);
const WITHOUT_REPLACEMENT: ReadonlySet<RelabelAction> = new Set([
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
]);

/** What one rule left of a label set, for people who debug rules. */
export type RelabelStep = {
  readonly rule: RelabelConfig;
  /** Empty when the rule dropped the set. */
  readonly output: Labels;
  readonly keep: boolean;
};

/** Compiled rules, to be applied to many label sets. */
export class Relabeler {
  readonly #rules: readonly Rule[];
  readonly #builder = new LabelsBuilder();

  /** @throws ValueError when a regular expression is malformed */
  constructor(configs: readonly RelabelConfig[], scheme: NameScheme = 'utf8') {
    this.#rules = configs.map((config) => compileRule(config, scheme));
  }

  /** True when there is nothing to do. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** The rewritten set, or null when a rule drops it. */
  apply(labels: Labels): Labels | null {
    if (this.#rules.length === 0) return labels;
    this.#builder.reset(labels);
    return this.applyTo(this.#builder) ? this.#builder.build() : null;
  }

  /** The same in place; false when a rule drops the set, which is then half rewritten. */
  applyTo(labels: LabelsBuilder): boolean {
    for (const rule of this.#rules) if (!rule.apply(labels)) return false;
    return true;
  }

  /** The set after each rule; empty from the one on that drops it. */
  steps(labels: Labels): RelabelStep[] {
    const builder = new LabelsBuilder(labels);
    let keep = true;
    return this.#rules.map(({ config, apply }) => {
      keep &&= apply(builder);
      return { rule: config, output: keep ? builder.build() : Labels.EMPTY, keep };
    });
  }
}

type Rule = {
  readonly config: RelabelConfig;
  /** Rewrites `labels`; false drops them. */
  readonly apply: (labels: LabelsBuilder) => boolean;
};

function compileRule(config: RelabelConfig, scheme: NameScheme): Rule {
  return { config, apply: compileAction(config, scheme) };
}

function compileAction(config: RelabelConfig, scheme: NameScheme): Rule['apply'] {
  const { action, sourceLabels, separator, targetLabel } = config;
  const source = (labels: LabelsBuilder): string => {
    if (sourceLabels.length === 1) return labels.get(sourceLabels[0]!);
    let joined = '';
    for (let i = 0; i < sourceLabels.length; i++) {
      joined += (i > 0 ? separator : '') + labels.get(sourceLabels[i]!);
    }
    return joined;
  };
  switch (action) {
    case 'replace':
      return compileReplace(config, scheme, source);
    case 'keep':
    case 'drop': {
      const regex = compileRegex(config.regex);
      const keepsMatches = action === 'keep';
      return (labels) => regex.test(source(labels)) === keepsMatches;
    }
    case 'keepequal':
      return (labels) => labels.get(targetLabel) === source(labels);
    case 'dropequal':
      return (labels) => labels.get(targetLabel) !== source(labels);
    case 'hashmod': {
      const modulus = BigInt(config.modulus);
      return (labels) => {
        labels.set(targetLabel, String(md5Low64(source(labels)) % modulus));
        return true;
      };
    }
    case 'lowercase':
      return (labels) => {
        labels.set(targetLabel, mapCase(source(labels), 'toLowerCase'));
        return true;
      };
    case 'uppercase':
      return (labels) => {
        labels.set(targetLabel, mapCase(source(labels), 'toUpperCase'));
        return true;
      };
    case 'labelmap':
      return compileLabelMap(config);
    case 'labeldrop':
    case 'labelkeep': {
      const regex = compileRegex(config.regex);
      const dropsMatches = action === 'labeldrop';
      return (labels) => {
        for (const name of labels.names()) {
          if (regex.test(name) === dropsMatches) labels.delete(name);
        }
        return true;
      };
    }
  }
}

function compileReplace(
  config: RelabelConfig,
  scheme: NameScheme,
  source: (labels: LabelsBuilder) => string,
): Rule['apply'] {
  const regex = compileRegex(config.regex);
  const target = new Template(config.targetLabel);
  const replacement = new Template(config.replacement);
  if (config.regex === DEFAULT_RELABEL_CONFIG.regex && !target.hasReferences) {
    // The most frequent rules, "copy a label" and "set a constant", need no expression at all.
    const name = config.targetLabel;
    if (!isValidLabelName(name, scheme)) return () => true;
    if (!replacement.hasReferences) {
      return (labels) => (labels.set(name, config.replacement), true);
    }
    if (config.replacement === DEFAULT_RELABEL_CONFIG.replacement) {
      return (labels) => (labels.set(name, source(labels)), true);
    }
  }
  return (labels) => {
    const groups = regex.match(source(labels));
    if (groups === null) return true;
    const name = target.expand(groups, regex);
    if (isValidLabelName(name, scheme)) labels.set(name, replacement.expand(groups, regex));
    return true;
  };
}

function compileLabelMap(config: RelabelConfig): Rule['apply'] {
  const regex = compileRegex(config.regex);
  const template = new Template(config.replacement);
  return (labels) => {
    // Values are those of before the rule: a name that it writes is not mapped again.
    const before = labels.names().map((name) => [name, labels.get(name)] as const);
    for (const [name, value] of before) {
      const groups = regex.match(name);
      if (groups !== null) labels.set(template.expand(groups, regex), value);
    }
    return true;
  };
}

/**
 * Text with references to groups: `$1`, `${1}`, `$name`, `${name}`; `$$` is a dollar sign. A name
 * is as long as letters, digits and underscores go on; a group that is not there gives nothing;
 * a dollar sign that starts no reference stands for itself.
 */
class Template {
  /** Literal texts, and names of groups between them. */
  readonly #literals: string[] = [''];
  readonly #names: string[] = [];

  constructor(text: string) {
    const reference = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;
    let end = 0;
    for (const match of text.matchAll(reference)) {
      this.#literals[this.#literals.length - 1] += text.slice(end, match.index);
      end = match.index + match[0].length;
      const name = match[1] ?? match[2];
      if (name === undefined) {
        this.#literals[this.#literals.length - 1] += '$';
      } else {
        this.#names.push(name);
        this.#literals.push('');
      }
    }
    this.#literals[this.#literals.length - 1] += text.slice(end);
  }

  get hasReferences(): boolean {
    return this.#names.length > 0;
  }

  expand(groups: readonly (string | undefined)[], regex: CompiledRegex): string {
    let text = this.#literals[0]!;
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i]!;
      const index = /^(?:0|[1-9][0-9]*)$/.test(name) ? Number(name) : regex.groupNames.get(name);
      text += (index === undefined ? undefined : groups[index]) ?? '';
      text += this.#literals[i + 1]!;
    }
    return text;
  }
}

/** Character by character, as Prometheus does: "ß" stays, where JavaScript alone would give "SS". */
function mapCase(text: string, method: 'toLowerCase' | 'toUpperCase'): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text[method]();
  let mapped = '';
  for (const char of text) {
    const [first, ...more] = char[method]();
    mapped += more.length === 0 || method === 'toLowerCase' ? first! : char;
  }
  return mapped;
}
