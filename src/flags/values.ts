/**
 * The kinds of values that flags take: text to value and value to the text that
 * `/api/v1/status/flags` shows. Error texts are those that users of Prometheus know.
 */
import { formatDuration, LOG_LEVELS, parseDuration, ValueError } from '../../model/index.ts';

export type ValueKind<T> = {
  /** Stands in the help for a value without default. */
  readonly placeholder: string;
  /** @throws ValueError */
  parse(text: string): T;
  print(value: T): string;
};

export const text: ValueKind<string> = {
  placeholder: '<string>',
  parse: (value) => value,
  print: (value) => value,
};

/** Milliseconds, written as `1h30m`. */
export const duration: ValueKind<number> = {
  placeholder: '<duration>',
  parse(value) {
    try {
      return parseDuration(value);
    } catch (error) {
      const badUnit = /^(?:\d+(?:ms|[ywdhms]))*\d+([^\d]+)/.exec(value);
      if (badUnit === null) throw error;
      const [, unit] = badUnit;
      throw new ValueError(`unknown unit "${unit}" in duration "${value}"`, { cause: error });
    }
  },
  print: formatDuration,
};

const SIMPLE_DURATION = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|[smh]))+$/;
const SIMPLE_DURATION_PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|ms|[smh])/g;
const SIMPLE_UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds with fractions and at most hours as unit, such as `1.5ms`. */
export const fractionalDuration: ValueKind<number> = {
  placeholder: '<duration>',
  parse(value) {
    if (value === '0') return 0;
    const match = SIMPLE_DURATION.exec(value);
    if (match === null) {
      const what = /^[+-]?[\d.]+$/.test(value) ? 'missing unit in' : 'invalid';
      throw new ValueError(`time: ${what} duration "${value}"`);
    }
    let totalMs = 0;
    for (const [, amount, unit] of value.matchAll(SIMPLE_DURATION_PART)) {
      totalMs += Number(amount) * SIMPLE_UNIT_MS[unit!]!;
    }
    return match[1] === '-' ? -totalMs : totalMs;
  },
  print: (value) => (Number.isInteger(value) ? formatDuration(value) : `${value}ms`),
};

/** Any number in decimal notation, cut to an integer: `5e7` and `1.5` are allowed. */
export const integer: ValueKind<number> = {
  placeholder: '<int>',
  parse: (value) => Math.trunc(decimal.parse(value)),
  print: String,
};

/** Digits only. */
export const strictInteger: ValueKind<number> = {
  placeholder: '<int>',
  parse(value) {
    if (!/^[+-]?\d+$/.test(value)) {
      throw new ValueError(`strconv.ParseInt: parsing "${value}": invalid syntax`);
    }
    const number = Number(value);
    if (Math.abs(number) >= 2 ** 63) {
      throw new ValueError(`strconv.ParseInt: parsing "${value}": value out of range`);
    }
    return number;
  },
  print: String,
};

export const decimal: ValueKind<number> = {
  placeholder: '<float>',
  parse(value) {
    if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) {
      throw new ValueError(`strconv.ParseFloat: parsing "${value}": invalid syntax`);
    }
    return Number(value);
  },
  print: String,
};

const SIZE_UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'] as const;

/**
 * Bytes with a unit; powers of 1024 whether written `MB` or `MiB`. Also used by the configuration.
 * @throws ValueError
 */
export function parseSize(value: string): number {
  if (value === '0') return 0;
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)[A-Za-z]+)+)$/.exec(value);
  if (match === null) {
    const [, unit] = /^[+-]?[\d.]+(\D*)/.exec(value) ?? [];
    if (unit === undefined) throw new ValueError(`units: invalid ${value}`);
    throw new ValueError(`units: unknown unit ${unit} in ${value}`);
  }
  let bytes = 0;
  for (const [, amount, unit] of match[2]!.matchAll(/(\d+\.?\d*|\.\d+)([A-Za-z]+)/g)) {
    const prefix = /^([KMGTPE]?)i?B$/.exec(unit!);
    if (prefix === null) throw new ValueError(`units: unknown unit ${unit} in ${value}`);
    bytes += Number(amount) * 1024 ** SIZE_UNITS.indexOf(prefix[1] as 'K');
  }
  return Math.trunc(match[1] === '-' ? -bytes : bytes);
}

/** `15MiB`, or several parts where one does not do: `1GiB512MiB`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B';
  let rest = Math.abs(bytes);
  let printed = bytes < 0 ? '-' : '';
  for (let power = SIZE_UNITS.length - 1; power >= 0; power--) {
    const unitBytes = 1024 ** power;
    if (rest < unitBytes) continue;
    printed += `${Math.floor(rest / unitBytes)}${SIZE_UNITS[power]}${power > 0 ? 'i' : ''}B`;
    rest %= unitBytes;
  }
  return printed;
}

export const size: ValueKind<number> = {
  placeholder: '<size>',
  parse: parseSize,
  print: formatSize,
};

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  complain = (value: string) => `enum value must be one of ${choices.join(',')}, got '${value}'`,
): ValueKind<Choice> {
  return {
    placeholder: `<${choices.join('|')}>`,
    parse(value) {
      const choice = choices.find((known) => known === value);
      if (choice === undefined) throw new ValueError(complain(value));
      return choice;
    },
    print: (value) => value,
  };
}

const exactLogLevel = oneOf(LOG_LEVELS, (value) => `unrecognized log level ${value}`);
export const logLevel: typeof exactLogLevel = {
  ...exactLogLevel,
  parse: (value) => exactLogLevel.parse(value.toLowerCase()),
};

export const logFormat = oneOf(
  ['logfmt', 'json'] as const,
  (value) => `unrecognized log format ${value}`,
);
