/** The configuration file: reading, checking, printing back. */
export { parsePlainYaml } from './plain-yaml.ts';
export { DISCOVERY_MECHANISMS } from './discovery-shapes.ts';
export {
  type Config,
  configSchema,
  type FlagDefaults,
  loadConfig,
  type LoadOptions,
  printConfig,
  printJob,
  ruleFilesOf,
  type RetentionSettings,
} from './load.ts';
export { toNotifyConfig } from './to-notify-config.ts';
