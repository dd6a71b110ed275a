/**
 * Regular expressions with RE2's syntax and meaning, anchored at both ends, `.` matching newlines:
 * what Prometheus 3 uses in matchers, relabelling and label_replace.
 *
 * Most patterns in use are a few texts or a text with `.*` at an end; those are tested with plain
 * string operations. Patterns whose every step is decided by the next character run on JavaScript's
 * own engine. Everything else, and every question of validity, is for re2js, a port of RE2 that
 * takes linear time: so no pattern can hang us. It is loaded when first needed (10 ms, 4.5 MB).
 */
import { createRequire } from 'node:module';
import type * as re2jsModule from 're2js';
import type { RE2JS } from 're2js';
import { messageOf, ValueError } from '../errors.ts';
import { globOf, linearRegExpOf, literalsOf, matchesGlob, prefixOf } from './regex-shapes.ts';
import { readPlainRegex, type RegexNode } from './regex-syntax.ts';

export interface CompiledRegex {
  readonly source: string;
  /** Whether the whole text matches. */
  test(text: string): boolean;
  /** Every text that can match, when they are few; lets a lookup replace a scan. */
  readonly literals: readonly string[] | null;
  /** What every matching text begins with; possibly empty. */
  readonly prefix: string;
  /**
   * The groups of a match of the whole text (index 0 is the whole, absent groups are undefined),
   * or null when it does not match.
   */
  match(text: string): readonly (string | undefined)[] | null;
  /** Index of each named group. */
  readonly groupNames: ReadonlyMap<string, number>;
}

/** @throws ValueError with RE2's own words */
export function compileRegex(source: string): CompiledRegex {
  const plain = readPlainRegex(source);
  return plain === null ? new GeneralRegex(source) : new PlainRegex(source, plain);
}

const NO_NAMES: ReadonlyMap<string, number> = new Map();

/** A pattern whose validity we know without the full engine. Its shape is studied on first use. */
class PlainRegex implements CompiledRegex {
  readonly source: string;
  readonly groupNames = NO_NAMES;
  readonly #node: RegexNode;
  #literals: readonly string[] | null | undefined;
  #prefix: string | undefined;
  #test: ((text: string) => boolean) | undefined;
  #engine: RE2JS | undefined;

  constructor(source: string, node: RegexNode) {
    this.source = source;
    this.#node = node;
  }

  get literals(): readonly string[] | null {
    if (this.#literals === undefined) {
      const literals = literalsOf(this.#node);
      this.#literals = literals === null ? null : [...new Set(literals)];
    }
    return this.#literals;
  }

  get prefix(): string {
    return (this.#prefix ??= prefixOf(this.#node));
  }

  test(text: string): boolean {
    this.#test ??= this.#chooseTest();
    return this.#test(text);
  }

  match(text: string): readonly (string | undefined)[] | null {
    if (this.source === '(.*)') return [text, text]; // the default of relabelling
    if (!this.test(text)) return null;
    if (!this.source.includes('(')) return [text];
    return groupsOf(this.#theEngine(), text);
  }

  #chooseTest(): (text: string) => boolean {
    const node = this.#node;
    if (this.literals !== null) return testOfLiterals(this.literals);
    const options = node.kind === 'either' ? node.options : [node];
    const tests = options.map(testWithoutEngine);
    if (tests.every((test) => test !== null)) {
      return tests.length === 1 ? tests[0]! : (text) => tests.some((test) => test(text));
    }
    const native = linearRegExpOf(node);
    if (native !== null) return (text) => native.test(text);
    return (text) => this.#theEngine().matches(text);
  }

  #theEngine(): RE2JS {
    return (this.#engine ??= compileFully(this.source));
  }
}

/** By string operations alone, or null. */
function testWithoutEngine(node: RegexNode): ((text: string) => boolean) | null {
  const literals = literalsOf(node);
  if (literals !== null) return testOfLiterals(literals);
  const glob = globOf(node);
  if (glob === null) return null;
  const [first, second, third] = glob.pieces;
  if (glob.gaps.every((gap) => gap === 0)) {
    if (glob.pieces.length === 2) {
      if (first === '' && second === '') return () => true;
      if (second === '') return (text) => text.startsWith(first!);
      if (first === '') return (text) => text.endsWith(second!);
    }
    if (glob.pieces.length === 3 && first === '' && third === '') {
      return (text) => text.includes(second!);
    }
  }
  return (text) => matchesGlob(glob, text);
}

function testOfLiterals(literals: readonly string[]): (text: string) => boolean {
  if (literals.length === 1) {
    const [only] = literals;
    return (text) => text === only;
  }
  const set = new Set(literals);
  return (text) => set.has(text);
}

/** A pattern that only the full engine understands. */
class GeneralRegex implements CompiledRegex {
  readonly source: string;
  readonly literals = null;
  readonly prefix = '';
  readonly groupNames: ReadonlyMap<string, number>;
  readonly #engine: RE2JS;

  constructor(source: string) {
    this.source = source;
    this.#engine = compileFully(source);
    this.groupNames = new Map(Object.entries(this.#engine.namedGroups()));
  }

  test(text: string): boolean {
    return this.#engine.matches(text);
  }

  match(text: string): readonly (string | undefined)[] | null {
    return groupsOf(this.#engine, text);
  }
}

function groupsOf(engine: RE2JS, text: string): readonly (string | undefined)[] | null {
  const matcher = engine.matcher(text);
  if (!matcher.matches()) return null;
  const groups: (string | undefined)[] = [];
  for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
  return groups;
}

let re2js: typeof re2jsModule | undefined;

function compileFully(source: string): RE2JS {
  re2js ??= createRequire(import.meta.url)('re2js') as typeof re2jsModule;
  const { RE2JS } = re2js;
  try {
    return RE2JS.compile(source, RE2JS.DOTALL);
  } catch (error) {
    throw new ValueError(explain(source, error), { cause: error });
  }
}

/** The message about the pattern as it was written; with flags, re2js would quote those, too. */
function explain(source: string, error: unknown): string {
  let message = messageOf(error);
  try {
    re2js!.RE2JS.compile(source);
  } catch (plainError) {
    message = messageOf(plainError);
  }
  // Two messages lack the part that RE2 quotes.
  if (message.endsWith(' nests too deeply')) return `${message}: \`${source}\``;
  return message.endsWith(' at end of expression') ? `${message}: \`\`` : message;
}
