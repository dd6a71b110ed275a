/**
 * Reads the plain part of RE2's syntax: what nearly all matchers of dashboards and rules are made
 * of. Anything else (flags, named groups, Unicode classes, odd escapes, errors) is not read here
 * but left to the full engine, so this never has to decide whether a pattern is valid.
 * Source: RE2 syntax page.
 */

/** Inclusive ranges of code points, ascending, not touching. */
export type CharSet = readonly (readonly [first: number, last: number])[];

export type RegexNode =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'concat'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'either'; readonly options: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly part: RegexNode;
      readonly countMin: number;
      readonly countMax: number;
    };

const CODE_POINT_MAX = 0x10ffff;
const ANY_CHAR: CharSet = [[0, CODE_POINT_MAX]];
const DIGIT: CharSet = [[0x30, 0x39]];
const WORD: CharSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: CharSet = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const CLASS_ESCAPES: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  D: invert(DIGIT),
  w: WORD,
  W: invert(WORD),
  s: SPACE,
  S: invert(SPACE),
};
const CHAR_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
/** Characters that a backslash makes literal, here and in every engine. */
const PUNCTUATION = /^[!-/:-@[-^`{-~]$/;
/** RE2 refuses more; nested repeats multiply, so those are left to it. */
const REPEAT_COUNT_MAX = 1000;
/** RE2 also bounds the size with all repeats written out; only it knows how exactly. */
const COUNTED_SIZE_MAX = 2000;

/** The tree of a pattern in the plain part, else null. */
export function readPlainRegex(source: string): RegexNode | null {
  const reader = new Reader(source);
  try {
    return reader.read();
  } catch (error) {
    if (error === NOT_PLAIN) return null;
    throw error;
  }
}

const NOT_PLAIN = new Error('not plain');

class Reader {
  readonly #chars: readonly string[];
  #at = 0;
  #groupDepth = 0;

  constructor(source: string) {
    this.#chars = Array.from(source);
  }

  read(): RegexNode {
    const node = this.#either();
    if (this.#at < this.#chars.length) throw NOT_PLAIN;
    if (holdsCount(node) && sizeOf(node) > COUNTED_SIZE_MAX) throw NOT_PLAIN;
    return node;
  }

  #either(): RegexNode {
    const options = [this.#concat()];
    while (this.#chars[this.#at] === '|') {
      this.#at++;
      options.push(this.#concat());
    }
    return options.length === 1 ? options[0]! : { kind: 'either', options };
  }

  #concat(): RegexNode {
    const parts: RegexNode[] = [];
    // Everything is anchored anyway, so at the very edges these two change nothing.
    if (this.#groupDepth === 0 && this.#chars[this.#at] === '^') this.#at++;
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined || char === '|' || char === ')') break;
      if (char === '$') {
        const next = this.#chars[this.#at + 1];
        if (this.#groupDepth > 0 || (next !== undefined && next !== '|')) throw NOT_PLAIN;
        this.#at++;
        break;
      }
      append(parts, this.#repeated());
    }
    if (parts.length === 1) return parts[0]!;
    return parts.length === 0 ? { kind: 'literal', text: '' } : { kind: 'concat', parts };
  }

  #repeated(): RegexNode {
    const part = this.#atom();
    const counts = this.#counts();
    if (counts === null) return part;
    if (this.#chars[this.#at] === '?') this.#at++; // lazy: the same texts match
    if (this.#counts() !== null) throw NOT_PLAIN;
    const isCounted = counts.max > 1 && counts.max !== Infinity;
    if ((isCounted || counts.min > 1) && holdsCount(part)) throw NOT_PLAIN;
    return { kind: 'repeat', part, countMin: counts.min, countMax: counts.max };
  }

  #counts(): { min: number; max: number } | null {
    switch (this.#chars[this.#at]) {
      case '*':
        this.#at++;
        return { min: 0, max: Infinity };
      case '+':
        this.#at++;
        return { min: 1, max: Infinity };
      case '?':
        this.#at++;
        return { min: 0, max: 1 };
      case '{':
        return this.#braces();
      case undefined:
      default:
        return null;
    }
  }

  #braces(): { min: number; max: number } {
    const close = this.#chars.indexOf('}', this.#at);
    const text = close < 0 ? '' : this.#chars.slice(this.#at + 1, close).join('');
    const counts = /^(\d{1,4})(?:(,)(\d{0,4}))?$/.exec(text);
    if (counts === null) throw NOT_PLAIN;
    const min = Number(counts[1]);
    const max = counts[2] === undefined ? min : counts[3] === '' ? Infinity : Number(counts[3]);
    const largest = max === Infinity ? min : max;
    if (min > max || largest > REPEAT_COUNT_MAX) throw NOT_PLAIN;
    this.#at = close + 1;
    return { min, max };
  }

  #atom(): RegexNode {
    const char = this.#chars[this.#at++]!;
    switch (char) {
      case '.':
        return { kind: 'set', set: ANY_CHAR };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#bracket() };
      case '\\': {
        const escaped = this.#escape();
        return typeof escaped === 'string'
          ? { kind: 'literal', text: escaped }
          : { kind: 'set', set: escaped };
      }
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
      case '^':
        throw NOT_PLAIN;
      default:
        return { kind: 'literal', text: char };
    }
  }

  #group(): RegexNode {
    if (this.#chars[this.#at] === '?') {
      if (this.#chars[this.#at + 1] !== ':') throw NOT_PLAIN;
      this.#at += 2;
    }
    this.#groupDepth++;
    // Deep nesting is an attack or a mistake; the full engine has a bound of its own.
    if (this.#groupDepth > 50) throw NOT_PLAIN;
    const node = this.#either();
    this.#groupDepth--;
    if (this.#chars[this.#at++] !== ')') throw NOT_PLAIN;
    return node;
  }

  #escape(): string | CharSet {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw NOT_PLAIN;
    if (PUNCTUATION.test(char)) return char;
    const escaped = CHAR_ESCAPES[char] ?? CLASS_ESCAPES[char];
    if (escaped === undefined) throw NOT_PLAIN;
    return escaped;
  }

  #bracket(): CharSet {
    const isInverted = this.#chars[this.#at] === '^';
    if (isInverted) this.#at++;
    const ranges: [number, number][] = [];
    for (let isFirst = true; ; isFirst = false) {
      const char = this.#chars[this.#at++];
      if (char === undefined || char === '[' || (char === ']' && isFirst)) throw NOT_PLAIN;
      if (char === ']') break;
      const low = char === '\\' ? this.#escape() : char;
      if (typeof low !== 'string') {
        for (const [first, last] of low) ranges.push([first, last]);
        continue;
      }
      const first = low.codePointAt(0)!;
      if (this.#chars[this.#at] !== '-') {
        ranges.push([first, first]);
        continue;
      }
      const last = this.#rangeEnd();
      if (last === null) {
        ranges.push([first, first]);
      } else {
        if (last < first) throw NOT_PLAIN;
        ranges.push([first, last]);
      }
    }
    const set = normalize(ranges);
    return isInverted ? invert(set) : set;
  }

  /** Behind the low end, at a dash. Null when the dash stands at the end and is literal. */
  #rangeEnd(): number | null {
    const next = this.#chars[this.#at + 1];
    if (next === ']') return null;
    if (next === undefined || next === '[' || next === '-') throw NOT_PLAIN;
    this.#at += 2;
    const high = next === '\\' ? this.#escape() : next;
    if (typeof high !== 'string') throw NOT_PLAIN;
    return high.codePointAt(0)!;
  }
}

/** Keeps neighbouring literals together. */
function append(parts: RegexNode[], node: RegexNode): void {
  const last = parts.at(-1);
  if (node.kind === 'literal' && last?.kind === 'literal') {
    parts[parts.length - 1] = { kind: 'literal', text: last.text + node.text };
  } else {
    parts.push(node);
  }
}

function holdsCount(node: RegexNode): boolean {
  switch (node.kind) {
    case 'literal':
    case 'set':
      return false;
    case 'concat':
      return node.parts.some(holdsCount);
    case 'either':
      return node.options.some(holdsCount);
    case 'repeat':
      return (
        node.countMin > 1 ||
        (node.countMax > 1 && node.countMax !== Infinity) ||
        holdsCount(node.part)
      );
  }
}

/** Characters of the pattern with its repeats written out. */
function sizeOf(node: RegexNode): number {
  switch (node.kind) {
    case 'literal':
      return node.text.length;
    case 'set':
      return 1;
    case 'concat':
      return node.parts.reduce((sum, part) => sum + sizeOf(part), 0);
    case 'either':
      return node.options.reduce((sum, option) => sum + sizeOf(option), 0);
    case 'repeat': {
      const count = node.countMax === Infinity ? Math.max(node.countMin, 1) : node.countMax;
      return sizeOf(node.part) * count;
    }
  }
}

function normalize(ranges: readonly [number, number][]): CharSet {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
  const out: [number, number][] = [];
  for (const [first, last] of sorted) {
    const top = out.at(-1);
    if (top !== undefined && first <= top[1] + 1) top[1] = Math.max(top[1], last);
    else out.push([first, last]);
  }
  return out;
}

function invert(set: CharSet): CharSet {
  const out: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) out.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= CODE_POINT_MAX) out.push([next, CODE_POINT_MAX]);
  return out;
}

export function isAnyChar(node: RegexNode): boolean {
  return (
    node.kind === 'set' &&
    node.set.length === 1 &&
    node.set[0]![1] === CODE_POINT_MAX &&
    node.set[0]![0] === 0
  );
}

export function intersects(a: CharSet, b: CharSet): boolean {
  for (const [firstA, lastA] of a) {
    for (const [firstB, lastB] of b) {
      if (firstA <= lastB && firstB <= lastA) return true;
    }
  }
  return false;
}
