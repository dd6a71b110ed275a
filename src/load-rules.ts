/** The rule files of a configuration. The code for them is loaded when there are some. */
import { messageOf, type NameScheme, NarthexError } from '../model/index.ts';
import type { ParserOptions } from '../promql/index.ts';
import { type Config, ruleFilesOf } from './config/index.ts';
import type { GroupDefinition } from './rules/index.ts';

export class RuleFilesError extends NarthexError {
  readonly code = 'RULE_FILES';
}

/** @throws RuleFilesError naming every file that is wrong, with all that is wrong in it */
export async function loadRules(
  config: Config,
  language: ParserOptions,
): Promise<readonly GroupDefinition[]> {
  const files = ruleFilesOf(config);
  if (files.length === 0) return [];
  const { loadRuleFile } = await import('./rules/index.ts');
  const nameScheme = config.values.global.metric_name_validation_scheme as NameScheme;
  const problems: string[] = [];
  const groups = files.flatMap((file) => {
    try {
      return loadRuleFile(file, { language, nameScheme });
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      problems.push(messageOf(error));
      return [];
    }
  });
  if (problems.length > 0) throw new RuleFilesError(`loading rules failed: ${problems.join('\n')}`);
  return groups;
}
