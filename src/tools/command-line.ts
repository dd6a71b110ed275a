/** Words of a command, read as promtool reads them, with its messages and exit codes. */
import { parseArgs } from 'node:util';
import { messageOf, ValueError } from '../../model/index.ts';
import { PromqlParseError } from '../../promql/index.ts';

export type FlagSpecs = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** Prints a piece of text; the newlines are in it. */
export type Out = (text: string) => void;

export type Outputs = { readonly out: Out; readonly err: Out };

/** Ends a command because of its words. */
export class CommandLineError extends ValueError {}

/** Flags by name and the arguments, at most `argumentCountMax` of them. */
export function readWords<const Specs extends FlagSpecs>(
  words: readonly string[],
  specs: Specs,
  argumentCountMax: number,
) {
  const parsed = parseWords(words, specs);
  const extra = parsed.positionals[argumentCountMax];
  if (extra !== undefined) throw new CommandLineError(`unexpected ${extra}`);
  for (const [name, spec] of Object.entries(specs)) {
    const given = parsed.tokens.filter((token) => token.kind === 'option' && token.name === name);
    if (spec.multiple !== true && spec.type === 'string' && given.length > 1) {
      throw new CommandLineError(`flag '${name}' cannot be repeated`);
    }
  }
  return { flags: parsed.values, arguments: parsed.positionals };
}

function parseWords<const Specs extends FlagSpecs>(words: readonly string[], options: Specs) {
  try {
    return parseArgs({
      args: [...words],
      options,
      allowPositionals: true,
      allowNegative: true,
      tokens: true,
    });
  } catch (error) {
    const unknown = /^Unknown option '(--?\S+?)'/.exec(messageOf(error))?.[1];
    throw new CommandLineError(
      unknown === undefined
        ? messageOf(error)
        : `unknown ${unknown.startsWith('--') ? 'long' : 'short'} flag '${unknown}'`,
    );
  }
}

/** A whole number of at most 64 bits. @throws ValueError */
export function integerFlag(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new CommandLineError(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  }
  return Number(text);
}

/** One of `choices`. @throws ValueError */
export function choiceFlag(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new CommandLineError(`enum value must be one of ${choices.join(',')}, got '${text}'`);
}

/** Runs a command; what is wrong with its input is told in one line. Returns the exit code. */
export async function runCommand(err: Out, run: () => Promise<void> | void): Promise<number> {
  try {
    await run();
    return 0;
  } catch (error) {
    if (error instanceof CommandLineError) {
      err(`narthex: error: ${error.message}, try --help\n`);
    } else if (error instanceof ValueError || error instanceof PromqlParseError) {
      err(`${error.message}\n`);
    } else {
      throw error;
    }
    return 1;
  }
}
