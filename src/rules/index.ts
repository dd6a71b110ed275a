/** Recording and alerting rules. Loaded only by a server that has some: it brings the language along. */
export type { Alert, AlertTransition } from './alert.ts';
export { WorkLimit } from './batches.ts';
export type { GroupSetting } from './group.ts';
export type { AlertingDefinition, GroupDefinition, RuleDefinition } from './rule-definition.ts';
export {
  loadRuleFile,
  loadSoundGroups,
  parseRuleFile,
  type QuarantinedGroup,
  type RuleFileOptions,
  type SoundGroups,
} from './rule-file.ts';
export { ruleQueries, ruleSink } from './rule-access.ts';
export { RuleManager } from './rule-manager.ts';
