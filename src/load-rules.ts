/** Rule files and receivers. The code for them is loaded when there are some. */
import { messageOf, type NameScheme, NarthexError } from '../model/index.ts';
import type { ParserOptions } from '../promql/index.ts';
import { type Config, ruleFilesOf } from './config/index.ts';
import type { ReceiverConfig } from './notify/receivers/index.ts';
import type { GroupDefinition, SoundGroups } from './rules/index.ts';

export class RuleFilesError extends NarthexError {
  readonly code = 'RULE_FILES';
}

export type LoadRulesOptions = {
  readonly language: ParserOptions;
  /** `--rules.quarantine`: a mistake costs only the group that it is in. */
  readonly quarantine: boolean;
};

/**
 * @throws RuleFilesError naming every file that is wrong, with all that is wrong in it; never when
 * groups may be quarantined
 */
export async function loadRules(config: Config, options: LoadRulesOptions): Promise<SoundGroups> {
  const files = ruleFilesOf(config);
  if (files.length === 0) return { groups: [], quarantined: [] };
  const { loadRuleFile, loadSoundGroups } = await import('./rules/index.ts');
  const nameScheme = config.values.global.metric_name_validation_scheme as NameScheme;
  const fileOptions = { language: options.language, nameScheme };
  if (options.quarantine) {
    const found = files.map((file) => loadSoundGroups(file, fileOptions));
    return {
      groups: found.flatMap(({ groups }) => groups),
      quarantined: found.flatMap(({ quarantined }) => quarantined),
    };
  }
  const problems: string[] = [];
  const groups = files.flatMap((file): readonly GroupDefinition[] => {
    try {
      return loadRuleFile(file, fileOptions);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      problems.push(messageOf(error));
      return [];
    }
  });
  if (problems.length > 0) throw new RuleFilesError(`loading rules failed: ${problems.join('\n')}`);
  return { groups, quarantined: [] };
}

/** What a server reads besides its configuration. */
export type LoadedFiles = {
  readonly rules: SoundGroups;
  readonly receivers: readonly ReceiverConfig[];
};

/** @param file  `--notifications.file`; empty for none. @throws ConfigError */
export async function loadReceiverFile(file: string): Promise<readonly ReceiverConfig[]> {
  if (file === '') return [];
  const { loadReceivers } = await import('./notify/receivers/index.ts');
  return loadReceivers(file);
}
