/** `<relabel_config>`. Its rules are checked by the model, which also applies them. */
import {
  checkRelabelConfig,
  DEFAULT_RELABEL_CONFIG,
  type NameScheme,
  RELABEL_ACTIONS,
  type RelabelAction,
  type RelabelConfig,
} from '../../model/index.ts';
import { FlowList } from './print-yaml.ts';
import { labelName, regex, string, uint } from './scalar-types.ts';
import {
  checkAt,
  type Field,
  field,
  type Infer,
  list,
  object,
  type Place,
  shown,
  type Type,
} from './type.ts';

const flowList: Type<readonly string[]> = {
  ...list(labelName),
  print: (items) => new FlowList(items),
};

const action: Type<RelabelAction> = {
  expected: `one of ${RELABEL_ACTIONS.join(', ')}`,
  readsNull: true,
  read(place) {
    const text = string.read(place);
    if (text === '') place.fail(`relabel action cannot be empty, expected ${this.expected}`);
    const found = RELABEL_ACTIONS.find((known) => known === text.toLowerCase());
    return found ?? place.fail(`unknown relabel action "${text}", expected ${this.expected}`);
  },
  print: (value) => value,
  schema: () => ({ enum: RELABEL_ACTIONS }),
};

/** Not printed as long as it is the default, but printed when it is empty. */
const regexField: Field<string> = {
  type: regex,
  initial: DEFAULT_RELABEL_CONFIG.regex,
  showing: (value) => value !== DEFAULT_RELABEL_CONFIG.regex,
};

export const relabelConfig = object(
  {
    source_labels: field(flowList, []),
    separator: shown(string, DEFAULT_RELABEL_CONFIG.separator),
    regex: regexField,
    modulus: field(uint, 0),
    target_label: field(string, ''),
    replacement: shown(string, DEFAULT_RELABEL_CONFIG.replacement),
    action: shown(action, DEFAULT_RELABEL_CONFIG.action),
  },
  (value, place) => {
    checkRule(value, 'utf8', place);
  },
);
export type RelabelValues = Infer<typeof relabelConfig>;

export function toRelabelConfig(value: RelabelValues): RelabelConfig {
  return {
    sourceLabels: value.source_labels,
    separator: value.separator,
    regex: value.regex,
    modulus: value.modulus,
    targetLabel: value.target_label,
    replacement: value.replacement,
    action: value.action,
  };
}

function checkRule(value: RelabelValues, scheme: NameScheme, place: Place, key?: string): void {
  checkAt(place, () => checkRelabelConfig(toRelabelConfig(value), scheme), key);
}

/** Once the name scheme of a job is known, its rules are held to it. */
export function checkRulesForScheme(
  rules: readonly RelabelValues[],
  scheme: NameScheme,
  place: Place,
  key: string,
): void {
  for (const rule of rules) checkRule(rule, scheme, place, key);
}
