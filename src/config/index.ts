/** The configuration file: reading, checking, printing back. */
export { parsePlainYaml } from './plain-yaml.ts';
export { DISCOVERY_MECHANISMS } from './discovery-shapes.ts';
export {
  type Config,
  type FlagDefaults,
  loadConfig,
  type LoadOptions,
  printConfig,
  printJob,
  type RetentionSettings,
} from './load.ts';
