/** Rules as their files say them, checked. */
import type { Labels } from '../../model/index.ts';
import type { AlertTemplate } from './template/index.ts';

type Common = {
  readonly name: string;
  /** As the language prints it, on one line. */
  readonly query: string;
  /** Names of the metrics that it reads; null when that cannot be told from its text. */
  readonly reads: ReadonlySet<string> | null;
  /** Those of the group included; the values of an alert's are templates. */
  readonly labels: Labels;
};

export type RecordingDefinition = Common & { readonly type: 'recording' };

export type AlertingDefinition = Common & {
  readonly type: 'alerting';
  readonly holdMs: number;
  readonly keepFiringMs: number;
  readonly annotations: Labels;
  readonly labelTemplates: readonly (readonly [name: string, template: AlertTemplate])[];
  readonly annotationTemplates: readonly (readonly [name: string, template: AlertTemplate])[];
};

export type RuleDefinition = RecordingDefinition | AlertingDefinition;

export type GroupDefinition = {
  readonly file: string;
  readonly name: string;
  /** Null: the global interval. */
  readonly intervalMs: number | null;
  /** Null: the global offset. */
  readonly queryOffsetMs: number | null;
  /** 0 for none. */
  readonly limit: number;
  readonly rules: readonly RuleDefinition[];
};

/** Equal exactly when a running rule need not be disturbed. */
export function ruleKey(rule: RuleDefinition): string {
  const { type, name, query, labels } = rule;
  const common = [type, name, query, ...labels.flat];
  if (rule.type === 'recording') return JSON.stringify(common);
  return JSON.stringify([common, rule.holdMs, rule.keepFiringMs, rule.annotations.flat]);
}
