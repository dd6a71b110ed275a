/**
 * The command line: `--name=value`, `--name value`, `--switch`, `--no-switch`, `-h`.
 * Messages and exit codes are those of Prometheus, because scripts look at them.
 */
import { messageOf, ValueError } from '../../model/index.ts';
import { nearestName } from '../nearest-name.ts';
import { FLAGS } from './flag-table.ts';
import type { Flag } from './flag.ts';
import type { ValueKind } from './values.ts';

type Table = typeof FLAGS;
export type FlagName = keyof Table;
type ValueOf<F> = F extends { type: 'switch' }
  ? boolean
  : F extends { type: 'list'; kind: ValueKind<infer T> }
    ? readonly T[]
    : F extends { kind: ValueKind<infer T>; initial: infer Initial }
      ? undefined extends Initial
        ? T | undefined
        : T
      : never;
/** A value per flag: what was given, else the default. */
export type FlagValues = { readonly [Name in FlagName]: ValueOf<Table[Name]> };

export type CommandLine =
  | { readonly action: 'run'; readonly values: FlagValues; readonly given: ReadonlySet<FlagName> }
  | { readonly action: 'help' | 'help-all' | 'version' };

/** The command line is wrong. `exitCode` is Prometheus's: 1 for its shape, 2 for a value. */
export class UsageError extends Error {
  readonly exitCode: number;

  constructor(what: string, exitCode: number, options?: ErrorOptions) {
    super(what, options);
    this.exitCode = exitCode;
  }
}

const flagOf = (name: string): Flag | undefined =>
  Object.hasOwn(FLAGS, name) ? FLAGS[name as FlagName] : undefined;

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  let action: CommandLine['action'] = 'run';

  for (let index = 0; index < args.length; index++) {
    const argument = args[index]!;
    if (argument === '-h') {
      action = 'help';
      continue;
    }
    if (!argument.startsWith('-') || argument === '-') refuse(`unexpected ${argument}`);
    if (argument === '--') {
      if (index + 1 < args.length) refuse(`unexpected ${args[index + 1]}`);
      break;
    }
    if (!argument.startsWith('--')) refuse(`unknown short flag '-${argument[1]}'`);

    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    if (name === 'help' || name === 'help-long' || name === 'help-man' || name === 'version') {
      action = name === 'version' ? 'version' : name === 'help' ? 'help' : 'help-all';
      continue;
    }
    const negated = name.startsWith('no-') && flagOf(name.slice(3))?.type === 'switch';
    const flagName = negated ? name.slice(3) : name;
    const flag = flagOf(flagName);
    if (flag === undefined) return refuseUnknown(name);
    if (given.has(flagName) && flag.type !== 'list') {
      throw new UsageError(`flag '${flagName}' cannot be repeated`, 2);
    }
    given.add(flagName);

    if (flag.type === 'switch') {
      if (equals >= 0) refuse(`unexpected ${argument.slice(equals + 1)}`);
      values[flagName] = !negated;
      continue;
    }
    const isLast = index + 1 >= args.length;
    if (equals < 0 && (isLast || args[index + 1]!.startsWith('-'))) {
      refuse(`expected argument for flag '--${name}'`);
    }
    const text = equals >= 0 ? argument.slice(equals + 1) : args[++index]!;
    const value = parseValue(flag.kind, text);
    if (flag.type === 'list') ((values[flagName] ??= []) as unknown[]).push(value);
    else values[flagName] = value;
  }
  if (action !== 'run') return { action };
  for (const [name, flag] of Object.entries(FLAGS)) {
    if (!given.has(name)) values[name] = flag.initial;
  }
  return {
    action,
    values: values as unknown as FlagValues,
    given: given as ReadonlySet<string> as ReadonlySet<FlagName>,
  };
}

function refuse(what: string): never {
  throw new UsageError(what, 1);
}

function refuseUnknown(name: string): never {
  const nearest = nearestName(name, Object.keys(FLAGS));
  const suggestion = nearest === undefined ? '' : `, did you mean '--${nearest}'?`;
  return refuse(`unknown long flag '--${name}'${suggestion}`);
}

function parseValue(kind: ValueKind<unknown>, text: string): unknown {
  try {
    return kind.parse(text);
  } catch (error) {
    if (error instanceof ValueError) throw new UsageError(messageOf(error), 2, { cause: error });
    throw error;
  }
}

/**
 * Rules between flags.
 * @throws UsageError
 */
export function checkFlags(values: FlagValues, given: ReadonlySet<FlagName>): void {
  const ratio = values['auto-gomemlimit.ratio'];
  if (ratio <= 0 || ratio > 1) {
    throw new UsageError(
      '--auto-gomemlimit.ratio must be greater than 0 and less than or equal to 1.',
      1,
    );
  }
  const foreignMode = values.agent ? 'server' : 'agent';
  const foreign = [...given].filter((name) => (FLAGS[name] as Flag).mode === foreignMode);
  if (foreign.length > 0) {
    const quoted = foreign.map((name) => `"--${name}"`).join(' ');
    const rule = values.agent ? 'can not be used in agent mode' : 'can only be used in agent mode';
    throw new UsageError(`The following flag(s) ${rule}: [${quoted}]`, 3);
  }
  const segmentBytes = values['storage.tsdb.wal-segment-size'];
  if (segmentBytes !== 0 && (segmentBytes < 10 * 2 ** 20 || segmentBytes > 256 * 2 ** 20)) {
    throw new UsageError(
      "flag 'storage.tsdb.wal-segment-size' must be set between 10MB and 256MB",
      1,
    );
  }
}
