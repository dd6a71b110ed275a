/**
 * Shapes of patterns that need no regular expression engine: a few texts, or pieces of text with
 * anything between them; and those that JavaScript's own engine runs in linear time.
 */
import { type CharSet, intersects, isAnyChar, type RegexNode } from './regex-syntax.ts';

/** A lookup by set costs nothing per text, so long plain alternations are welcome … */
const LITERAL_COUNT_MAX = 10_000;
/** … but products of alternatives (`[ab][cd][ef]…`) grow faster than they are useful. */
const PRODUCT_COUNT_MAX = 256;

/** Every text that matches, when they are few; else null. */
export function literalsOf(node: RegexNode): string[] | null {
  switch (node.kind) {
    case 'literal':
      return [node.text];
    case 'set':
      return charsOf(node.set);
    case 'either': {
      const texts: string[] = [];
      for (const option of node.options) {
        const more = literalsOf(option);
        if (more === null || texts.length + more.length > LITERAL_COUNT_MAX) return null;
        for (const text of more) texts.push(text);
      }
      return texts;
    }
    case 'concat': {
      let texts = [''];
      for (const part of node.parts) {
        const more = literalsOf(part);
        if (more === null) return null;
        const isProduct = texts.length > 1 && more.length > 1;
        const count = texts.length * more.length;
        if (count > (isProduct ? PRODUCT_COUNT_MAX : LITERAL_COUNT_MAX)) return null;
        texts = texts.flatMap((before) => more.map((after) => before + after));
      }
      return texts;
    }
    case 'repeat': {
      const { part, countMin, countMax } = node;
      if (countMax > 4) return null;
      const once = literalsOf(part);
      if (once === null) return null;
      const texts: string[] = [];
      let powers = [''];
      for (let count = 0; count <= countMax; count++) {
        if (count >= countMin) texts.push(...powers);
        if (powers.length * once.length > PRODUCT_COUNT_MAX) return null;
        powers = powers.flatMap((before) => once.map((after) => before + after));
      }
      return texts;
    }
  }
}

function charsOf(set: CharSet): string[] | null {
  const texts: string[] = [];
  for (const [first, last] of set) {
    if (texts.length + last - first + 1 > PRODUCT_COUNT_MAX) return null;
    for (let code = first; code <= last; code++) texts.push(String.fromCodePoint(code));
  }
  return texts;
}

/** What every matching text begins with. */
export function prefixOf(node: RegexNode): string {
  switch (node.kind) {
    case 'literal':
      return node.text;
    case 'concat': {
      let prefix = '';
      for (const part of node.parts) {
        prefix += prefixOf(part);
        if (part.kind !== 'literal') break;
      }
      return prefix;
    }
    case 'either':
      return node.options.map(prefixOf).reduce(commonPrefix);
    case 'repeat':
      return node.countMin > 0 ? prefixOf(node.part) : '';
    case 'set':
      return '';
  }
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  const last = a.charCodeAt(length - 1);
  // Not half of a surrogate pair.
  return a.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Texts in this order, the first and last at the ends, with gaps of any characters between. */
type Glob = {
  readonly pieces: readonly string[];
  /** Fewest characters of the gap behind each piece but the last: 0 or 1. */
  readonly gaps: readonly number[];
};

/** `prod-.*`, `.*error.*`, `.+`; null when the pattern holds anything else. */
export function globOf(node: RegexNode): Glob | null {
  const parts = node.kind === 'concat' ? node.parts : [node];
  const pieces = [''];
  const gaps: number[] = [];
  for (const part of parts) {
    if (part.kind === 'literal') {
      pieces[pieces.length - 1] += part.text;
      continue;
    }
    const isGap = part.kind === 'repeat' && part.countMax === Infinity && part.countMin <= 1;
    if (!isGap || !isAnyChar(part.part)) return null;
    if (gaps.length > 0 && pieces.at(-1) === '') {
      // `.*.+` is one gap; two of at least one each would be one of at least two.
      if (gaps.at(-1)! + part.countMin > 1) return null;
      gaps[gaps.length - 1]! += part.countMin;
      continue;
    }
    gaps.push(part.countMin);
    pieces.push('');
  }
  return gaps.length === 0 ? null : { pieces, gaps };
}

export function matchesGlob({ pieces, gaps }: Glob, text: string): boolean {
  const first = pieces[0]!;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  const lastIndex = pieces.length - 1;
  for (let i = 1; i < lastIndex; i++) {
    // The leftmost place leaves most room for the rest.
    const found = text.indexOf(pieces[i]!, at + gaps[i - 1]!);
    if (found < 0) return false;
    at = found + pieces[i]!.length;
  }
  const last = pieces[lastIndex]!;
  return text.length - last.length >= at + gaps[lastIndex - 1]! && text.endsWith(last);
}

/**
 * A RegExp that matches the same texts, when every step of it is decided by the next character
 * alone: then a backtracking engine has nothing to try twice, and takes linear time. Else null.
 */
export function linearRegExpOf(node: RegexNode): RegExp | null {
  const automaton = new Automaton();
  const whole = automaton.add(node);
  if (whole === null || !automaton.isDecided(whole.first)) return null;
  return new RegExp(`^(?:${toJavaScript(node)})$`, 'u');
}

/** Character positions of the pattern, and which of them can follow which (Glushkov's automaton). */
class Automaton {
  readonly #sets: CharSet[] = [];
  /** As lists: a position that can be reached in two ways is listed twice, and is a choice. */
  readonly #follow: number[][] = [];

  add(node: RegexNode): Fragment | null {
    switch (node.kind) {
      case 'literal': {
        let all: Fragment = EMPTY;
        for (const char of node.text) {
          const code = char.codePointAt(0)!;
          all = this.#join(all, this.#position([[code, code]]));
        }
        return all;
      }
      case 'set':
        return this.#position(node.set);
      case 'concat': {
        let all: Fragment = EMPTY;
        for (const part of node.parts) {
          const next = this.add(part);
          if (next === null) return null;
          all = this.#join(all, next);
        }
        return all;
      }
      case 'either': {
        const first: number[] = [];
        const last: number[] = [];
        let isNullable = false;
        for (const option of node.options) {
          const fragment = this.add(option);
          // Two ways to match nothing are a choice without a character to decide it.
          if (fragment === null || (fragment.isNullable && isNullable)) return null;
          isNullable ||= fragment.isNullable;
          first.push(...fragment.first);
          last.push(...fragment.last);
        }
        return { first, last, isNullable };
      }
      case 'repeat': {
        const fragment = this.add(node.part);
        if (fragment === null || fragment.isNullable || node.countMax === 0) return null;
        if (node.countMax > 1) this.#connect(fragment.last, fragment.first);
        return { ...fragment, isNullable: node.countMin === 0 };
      }
    }
  }

  /** Whether no two positions that can come next share a character. */
  isDecided(first: readonly number[]): boolean {
    // Quadratic in the size of alternations; those that matter are small.
    if (this.#sets.length > 200) return false;
    return [first, ...this.#follow].every((next) => this.#areDisjoint(next));
  }

  #areDisjoint(positions: readonly number[]): boolean {
    return positions.every((a, index) =>
      positions.slice(index + 1).every((b) => !intersects(this.#sets[a]!, this.#sets[b]!)),
    );
  }

  #position(set: CharSet): Fragment {
    const index = this.#sets.push(set) - 1;
    this.#follow.push([]);
    return { first: [index], last: [index], isNullable: false };
  }

  #join(a: Fragment, b: Fragment): Fragment {
    this.#connect(a.last, b.first);
    return {
      first: a.isNullable ? [...a.first, ...b.first] : a.first,
      last: b.isNullable ? [...a.last, ...b.last] : b.last,
      isNullable: a.isNullable && b.isNullable,
    };
  }

  #connect(from: readonly number[], to: readonly number[]): void {
    for (const position of from) this.#follow[position]!.push(...to);
  }
}

type Fragment = {
  /** Positions that can be the first or last to match. */
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly isNullable: boolean;
};
const EMPTY: Fragment = { first: [], last: [], isNullable: true };

function toJavaScript(node: RegexNode): string {
  switch (node.kind) {
    case 'literal':
      return Array.from(node.text, (char) => escape(char.codePointAt(0)!)).join('');
    case 'set':
      return `[${node.set.map(([a, b]) => `${escape(a)}-${escape(b)}`).join('')}]`;
    case 'concat':
      return node.parts.map(toJavaScript).join('');
    case 'either':
      return `(?:${node.options.map(toJavaScript).join('|')})`;
    case 'repeat': {
      const max = node.countMax === Infinity ? '' : node.countMax;
      return `(?:${toJavaScript(node.part)}){${node.countMin},${max}}`;
    }
  }
}

function escape(code: number): string {
  return `\\u{${code.toString(16)}}`;
}
