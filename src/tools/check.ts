/** `check config`, `check rules`, `check notifications`: what a server would say of its files. */
import { statSync } from 'node:fs';
import { ConfigError } from '../../model/index.ts';
import type { ParserOptions } from '../../promql/index.ts';
import { loadConfig, ruleFilesOf } from '../config/index.ts';
import { chooseFeatures } from '../flags.ts';
import { languageOf } from '../language.ts';
import { loadReceivers } from '../notify/receivers/index.ts';
import { loadRuleFile, type RuleFileOptions } from '../rules/index.ts';
import {
  CommandLineError,
  type FlagSpecs,
  type Outputs,
  readWords,
  runCommand,
} from './command-line.ts';

const HELP = { help: { type: 'boolean', short: 'h' } } as const satisfies FlagSpecs;
const LANGUAGE = {
  ...HELP,
  'enable-feature': { type: 'string', multiple: true },
} as const satisfies FlagSpecs;
const CONFIG = {
  ...LANGUAGE,
  agent: { type: 'boolean' },
  'syntax-only': { type: 'boolean' },
} as const satisfies FlagSpecs;

const CONFIG_USAGE = `usage: narthex check config [<flags>] <file>...

Checks configuration files, and the rule files that they name.

  --agent               As an agent takes them.
  --syntax-only         Leave the rule files alone.
  --enable-feature=...  Features of the query language that rules may use.
`;
const RULES_USAGE = `usage: narthex check rules [<flags>] <file>...

Checks rule files.

  --enable-feature=...  Features of the query language that rules may use.
`;
const NOTIFICATIONS_USAGE = `usage: narthex check notifications <file>...

Checks files of receivers, as --notifications.file takes them.
`;

/** @returns 0 when all files are good, 1 otherwise */
export function checkConfig(words: readonly string[], outputs: Outputs): Promise<number> {
  const check = new Check(outputs);
  return check.run(() => {
    const { flags, arguments: files } = readWords(words, CONFIG, Number.POSITIVE_INFINITY);
    if (flags.help === true) return outputs.out(CONFIG_USAGE);
    const language = chosenLanguage(flags['enable-feature'], outputs);
    for (const file of existing(files, 'config-files')) {
      let ruleFiles: readonly string[] = [];
      let nameScheme: RuleFileOptions['nameScheme'];
      check.file(file, () => {
        const config = loadConfig(file, { isAgent: flags.agent === true });
        nameScheme = config.values.global.metric_name_validation_scheme as typeof nameScheme;
        if (flags['syntax-only'] !== true) ruleFiles = ruleFilesOf(config);
        const rules =
          ruleFiles.length === 0 ? '' : `  SUCCESS: ${ruleFiles.length} rule files found\n`;
        return `${rules} SUCCESS: ${file} is valid prometheus config file syntax\n`;
      });
      for (const ruleFile of ruleFiles) check.rules(ruleFile, { language, nameScheme });
    }
  });
}

/** @returns 0 when all files are good, 1 otherwise */
export function checkRules(words: readonly string[], outputs: Outputs): Promise<number> {
  const check = new Check(outputs);
  return check.run(() => {
    const { flags, arguments: files } = readWords(words, LANGUAGE, Number.POSITIVE_INFINITY);
    if (flags.help === true) return outputs.out(RULES_USAGE);
    const language = chosenLanguage(flags['enable-feature'], outputs);
    for (const file of existing(files, 'rule-files')) check.rules(file, { language });
  });
}

/** @returns 0 when all files are good, 1 otherwise */
export function checkNotifications(words: readonly string[], outputs: Outputs): Promise<number> {
  const check = new Check(outputs);
  return check.run(() => {
    const { flags, arguments: files } = readWords(words, HELP, Number.POSITIVE_INFINITY);
    if (flags.help === true) return outputs.out(NOTIFICATIONS_USAGE);
    for (const file of existing(files, 'notification-files')) {
      check.file(file, () => `  SUCCESS: ${loadReceivers(file).length} receivers found\n`);
    }
  });
}

/** Goes through files, prints the verdicts as promtool does, and remembers the bad ones. */
class Check {
  readonly #outputs: Outputs;
  #failed = false;

  constructor(outputs: Outputs) {
    this.#outputs = outputs;
  }

  async run(work: () => void): Promise<number> {
    const code = await runCommand(this.#outputs.err, work);
    return this.#failed ? 1 : code;
  }

  /** @param look  the words for a good file; throws ConfigError for a bad one */
  file(file: string, look: () => string): void {
    const { out, err } = this.#outputs;
    out(`Checking ${file}\n`);
    try {
      out(`${look()}\n`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#failed = true;
      err(`  FAILED:\n${error.message}\n`);
    }
  }

  rules(file: string, options: RuleFileOptions): void {
    this.file(file, () => {
      const rules = loadRuleFile(file, options).flatMap((group) => group.rules);
      return `  SUCCESS: ${rules.length} rules found\n`;
    });
  }
}

function chosenLanguage(values: readonly string[] = [], { err }: Outputs): ParserOptions {
  const { names, warnings } = chooseFeatures(values);
  for (const { message, option } of warnings) err(`  WARNING: ${message}: ${option}\n`);
  return languageOf(names);
}

function existing(files: readonly string[], what: string): readonly string[] {
  if (files.length === 0) throw new CommandLineError(`required argument '${what}' not provided`);
  for (const file of files) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) throw new CommandLineError(`path '${file}' does not exist`);
    if (found.isDirectory()) throw new CommandLineError(`'${file}' is a directory`);
  }
  return files;
}
