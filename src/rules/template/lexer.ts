/**
 * Template text to tokens. Source: Go package text/template, documentation ("Text and spaces",
 * "Actions", "Arguments").
 */
import { quoteText } from '../../../model/index.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'identifier'
  | 'keyword'
  | 'field'
  | 'variable'
  | 'dot'
  | 'nil'
  | 'bool'
  | 'string'
  | 'rawString'
  | 'char'
  | 'number'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'declare'
  | 'assign'
  | 'comma'
  /** A character that means nothing here. */
  | 'other'
  | 'end'
  | 'error';

export type Token = {
  readonly kind: TokenKind;
  /** For `error`: what is wrong. */
  readonly text: string;
  /** UTF-16 offset. */
  readonly at: number;
};

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);
/** With the trim marker and the space that it needs. */
const CLOSE = /(?:[ \t\r\n]+-)?\}\}/y;
const SPACE = /[ \t\r\n]+/y;
const WORD = /[\p{L}\p{Nd}_]+/uy;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?\d+)?|0[bB][01_]+|0[oO]?[0-7_]+(?![\d.eE])|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const RAW_STRING = /`[^`]*`/y;
const CHAR = /'(?:[^'\\\n]|\\[^\n])+'/y;
/** What may follow a word, a number or a field. */
const TERMINATOR = /^(?:[ \t\r\n.,|:()=]|$)/;
const FIXED: Readonly<Record<string, TokenKind>> = {
  '|': 'pipe',
  ',': 'comma',
  '=': 'assign',
};

export class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #parenDepth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Ends with `end` or, at the first mistake, with `error`. */
  tokens(): readonly Token[] {
    while (this.#at <= this.#text.length) {
      if (!this.#outside() || !this.#inside()) break;
    }
    return this.#tokens;
  }

  #push(kind: TokenKind, text: string, at = this.#at): void {
    this.#tokens.push({ kind, text, at });
  }

  #fail(message: string, at = this.#at): false {
    this.#tokens.push({ kind: 'error', text: message, at });
    return false;
  }

  /** Up to and with the next `{{`. False at the end. */
  #outside(): boolean {
    const start = this.#at;
    const open = this.#text.indexOf('{{', start);
    if (open < 0) {
      if (start < this.#text.length) this.#push('text', this.#text.slice(start));
      this.#push('end', '', this.#text.length);
      return false;
    }
    const trims = /^\{\{-[ \t\r\n]/.test(this.#text.slice(open, open + 4));
    const raw = this.#text.slice(start, open);
    const text = trims ? raw.replace(/[ \t\r\n]+$/, '') : raw;
    if (text !== '') this.#push('text', text, start);
    this.#at = open + (trims ? 3 : 2);
    const body = trims
      ? this.#text.slice(this.#at).replace(/^[ \t\r\n]+/, '')
      : this.#text.slice(this.#at);
    if (body.startsWith('/*')) {
      const commentAt = this.#text.indexOf('/*', this.#at);
      const end = this.#text.indexOf('*/', commentAt);
      if (end < 0) return this.#fail('unclosed comment', open);
      const close = /^(?:[ \t\r\n]+-)?\}\}/.exec(this.#text.slice(end + 2));
      if (close === null) return this.#fail('comment ends before closing delimiter', open);
      this.#at = end + 2 + close[0].length;
      if (close[0].includes('-')) this.#skipSpace();
      return this.#outside();
    }
    this.#push('open', '{{', open);
    this.#parenDepth = 0;
    return true;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    const found = SPACE.exec(this.#text);
    if (found !== null) this.#at = SPACE.lastIndex;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }

  #advance(kind: TokenKind, text: string): true {
    this.#push(kind, text);
    this.#at += text.length;
    return true;
  }

  /** Up to and with the next `}}`. False at a mistake. */
  #inside(): boolean {
    for (;;) {
      const rest = this.#text.slice(this.#at, this.#at + 64);
      const close = this.#take(CLOSE);
      if (close !== null) {
        if (this.#parenDepth > 0) return this.#fail('unclosed left paren');
        this.#advance('close', close);
        if (close.length > 2) this.#skipSpace();
        return true;
      }
      if (rest === '') return this.#fail('unclosed action');
      if (!this.#one(rest)) return false;
    }
  }

  #one(rest: string): boolean {
    const [character = ''] = rest;
    const space = this.#take(SPACE);
    if (space !== null) return this.#advance('space', space);
    if (character === ':') {
      return rest[1] === '=' ? this.#advance('declare', ':=') : this.#fail('expected :=');
    }
    if (Object.hasOwn(FIXED, character)) return this.#advance(FIXED[character]!, character);
    if (character === '"') {
      const text = this.#take(STRING);
      return text === null
        ? this.#fail('unterminated quoted string')
        : this.#advance('string', text);
    }
    if (character === '`') {
      const text = this.#take(RAW_STRING);
      return text === null
        ? this.#fail('unterminated raw quoted string')
        : this.#advance('rawString', text);
    }
    if (character === "'") {
      const text = this.#take(CHAR);
      return text === null
        ? this.#fail('unterminated character constant')
        : this.#advance('char', text);
    }
    if (character === '(') {
      this.#parenDepth++;
      return this.#advance('leftParen', '(');
    }
    if (character === ')') {
      if (--this.#parenDepth < 0) return this.#fail('unexpected right paren');
      return this.#advance('rightParen', ')');
    }
    if (character === '$') return this.#word('variable');
    if (character === '.' && !/^\.\d/.test(rest)) return this.#word('field');
    if (/^[+-]?\.?\d/.test(rest)) return this.#number();
    if (/^[\p{L}_]/u.test(rest)) return this.#word('identifier');
    if (/^[\x21-\x7e]/.test(rest)) return this.#advance('other', character);
    return this.#fail(`unrecognized character in action: ${codeText(rest)}`);
  }

  #word(kind: 'variable' | 'field' | 'identifier'): boolean {
    const prefix = kind === 'identifier' ? '' : this.#text[this.#at]!;
    WORD.lastIndex = this.#at + prefix.length;
    const word = WORD.exec(this.#text)?.[0] ?? '';
    const text = prefix + word;
    const next = this.#text.slice(this.#at + text.length, this.#at + text.length + 3);
    const isEnded = TERMINATOR.test(next) || next.startsWith('}}');
    if (word === '' && kind === 'field') return this.#advance('dot', '.');
    if (!isEnded) {
      this.#at += text.length;
      return this.#fail(`bad character ${codeText(next)}`);
    }
    if (kind !== 'identifier') return this.#advance(kind, text);
    if (KEYWORDS.has(text)) return this.#advance('keyword', text);
    if (text === 'true' || text === 'false') return this.#advance('bool', text);
    if (text === 'nil') return this.#advance('nil', text);
    return this.#advance('identifier', text);
  }

  #number(): boolean {
    const text = this.#take(NUMBER);
    const behind = this.#text.slice(
      this.#at + (text?.length ?? 0),
      this.#at + (text?.length ?? 0) + 1,
    );
    if (text === null || /[\p{L}\p{Nd}_]/u.test(behind)) {
      const bad = /^[+-]?[\p{L}\p{Nd}_.]*/u.exec(this.#text.slice(this.#at))![0];
      return this.#fail(`bad number syntax: ${quoteText(bad)}`);
    }
    return this.#advance('number', text);
  }
}

/** `U+0023 '#'` */
function codeText(text: string): string {
  const code = text.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, '0');
  return `U+${hex} '${String.fromCodePoint(code)}'`;
}
