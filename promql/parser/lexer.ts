/**
 * Query text to tokens. Written by hand, because what a character means depends on the brackets
 * around it: inside `{…}` there are no keywords, inside `[…]` no names, and a colon is an operator
 * there and part of a name elsewhere.
 *
 *   statement ──{──▶ braces ──}──▶ statement
 *       │  ▲
 *       [  └──── first number ─────┐      Up to the first number a bracket holds little else; from
 *       └──────▶ duration ─────────┘      there on it is read like a statement, minus the names.
 *
 * The first text that cannot be read becomes a `Malformed` token, and reading ends there: whether
 * it is reported depends on whether the grammar finds something wrong earlier.
 */
import type { IToken, TokenType } from 'chevrotain';
import { MalformedError } from './errors.ts';
import { scanNumber } from './numbers.ts';
import { quoteCharacter, scanString } from './strings.ts';
import { KEYWORDS, type TokenKind, type Vocabulary } from './tokens.ts';

/** `payload` is the value of a String and the message of a Malformed token. */
export type Token = Omit<IToken, 'payload'> & {
  readonly kind: TokenKind;
  readonly payload: string | undefined;
};

type Mode = 'statement' | 'braces' | 'duration';

const SYMBOLS: Readonly<Record<string, TokenKind>> = {
  ',': 'Comma',
  '*': 'Times',
  '/': 'Divide',
  '%': 'Modulo',
  '+': 'Plus',
  '-': 'Minus',
  '^': 'Power',
  '@': 'At',
};
const DURATION_WORDS = new Set<TokenKind>(['Step', 'Range', 'MinOf', 'MaxOf']);
const FILL_WORDS = new Set<TokenKind>(['Fill', 'FillLeft', 'FillRight']);
const NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
/** Words in brackets end before a digit: `step5` is `step` and 5. */
const LETTERS = /[a-zA-Z_]+/y;
const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const BLANK = /[ \t\r\n]*/y;

export function tokenize(text: string, vocabulary: Vocabulary): Token[] {
  return new Lexer(text, vocabulary).run();
}

class Lexer {
  readonly #text: string;
  readonly #vocabulary: Vocabulary;
  readonly #tokens: Token[] = [];
  #at = 0;
  #mode: Mode = 'statement';
  #parenDepth = 0;
  #bracketIsOpen = false;
  #colonWasSeen = false;
  /** In any bracket so far. */
  #numberWasSeen = false;

  constructor(text: string, vocabulary: Vocabulary) {
    this.#text = text;
    this.#vocabulary = vocabulary;
  }

  run(): Token[] {
    try {
      while (this.#skipBlank()) this.#next();
      this.#finish();
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      this.#push('Malformed', this.#at, error.message);
    }
    return this.#tokens;
  }

  /** False at the end of the text. */
  #skipBlank(): boolean {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d) {
        this.#at++;
      } else if (code === 0x23 && this.#mode !== 'duration') {
        const lineEnd = text.indexOf('\n', this.#at);
        this.#at = lineEnd < 0 ? text.length : lineEnd;
      } else {
        return this.#at < text.length;
      }
    }
  }

  #next(): void {
    if (this.#mode === 'statement') this.#statement();
    else if (this.#mode === 'braces') this.#braces();
    else this.#duration();
  }

  /** What must be closed at the end; the innermost complaint that Prometheus makes comes first. */
  #finish(): void {
    if (this.#mode === 'braces') throw new MalformedError('unexpected end of input inside braces');
    if (this.#mode === 'duration') {
      throw new MalformedError('unexpected end of input in duration expression');
    }
    if (this.#parenDepth > 0) throw new MalformedError('unclosed left parenthesis');
    if (this.#bracketIsOpen) throw new MalformedError('unclosed left bracket');
  }

  #statement(): void {
    const text = this.#text;
    const char = text[this.#at]!;
    if (this.#bracketIsOpen ? this.#wordInBracket(char) : isNameStart(char) || char === ':') {
      this.#name();
      return;
    }
    if (isDigit(char) || (char === '.' && isDigit(text[this.#at + 1]))) return this.#number();
    switch (char) {
      case '(':
      case ')':
        return this.#paren(char);
      case '"':
      case "'":
      case '`':
        return this.#string();
      case '{':
        this.#mode = 'braces';
        return this.#push('LeftBrace', this.#at + 1);
      case '[':
        if (this.#bracketIsOpen) throw new MalformedError("unexpected left bracket '['");
        this.#bracketIsOpen = true;
        this.#colonWasSeen = false;
        this.#mode = 'duration';
        return this.#push('LeftBracket', this.#at + 1);
      case ']':
        return this.#closeBracket();
      case ':':
        if (this.#colonWasSeen) throw new MalformedError("unexpected colon ':'");
        this.#colonWasSeen = true;
        return this.#push('Colon', this.#at + 1);
      case '=':
      case '!':
      case '<':
      case '>':
        return this.#comparison(char);
    }
    const symbol = SYMBOLS[char];
    if (symbol === undefined) this.#fail('unexpected character: ');
    this.#push(symbol, this.#at + 1);
  }

  /** Inside brackets only the duration functions are words; any other letter is an error. */
  #wordInBracket(char: string): boolean {
    if (!isNameStart(char)) return false;
    if (this.#durationWord() === undefined) this.#fail('unexpected character: ', ", expected ':'");
    return true;
  }

  #durationWord(): TokenKind | undefined {
    const kind = KEYWORDS.get(this.#match(LETTERS).toLowerCase());
    return kind !== undefined && DURATION_WORDS.has(kind) ? kind : undefined;
  }

  #name(): void {
    const word = this.#match(this.#bracketIsOpen ? LETTERS : METRIC_NAME);
    const end = this.#at + word.length;
    let kind = KEYWORDS.get(word) ?? KEYWORDS.get(word.toLowerCase());
    if (kind !== undefined && FILL_WORDS.has(kind) && !this.#parenFollows(end)) kind = undefined;
    this.#push(kind ?? (word.includes(':') ? 'MetricIdentifier' : 'Identifier'), end);
  }

  /** `fill` is a keyword only in front of a parenthesis. */
  #parenFollows(end: number): boolean {
    BLANK.lastIndex = end;
    BLANK.test(this.#text);
    return this.#text[BLANK.lastIndex] === '(';
  }

  #comparison(char: string): void {
    const next = this.#text[this.#at + 1];
    const kind = COMPARISONS[char + (next ?? '')];
    if (kind !== undefined) return this.#push(kind, this.#at + 2);
    if (char === '!' || (char === '=' && next === '~')) {
      this.#failAfter(char);
    }
    this.#push(char === '=' ? 'Equal' : char === '<' ? 'Less' : 'Greater', this.#at + 1);
  }

  #paren(char: '(' | ')'): void {
    if (char === '(') {
      this.#parenDepth++;
      return this.#push('LeftParen', this.#at + 1);
    }
    if (this.#parenDepth === 0) {
      this.#at++; // Prometheus points behind it.
      throw new MalformedError("unexpected right parenthesis ')'");
    }
    this.#parenDepth--;
    this.#push('RightParen', this.#at + 1);
  }

  #closeBracket(): void {
    if (!this.#bracketIsOpen) throw new MalformedError("unexpected right bracket ']'");
    this.#bracketIsOpen = false;
    this.#mode = 'statement';
    this.#push('RightBracket', this.#at + 1);
  }

  #braces(): void {
    const char = this.#text[this.#at]!;
    if (isNameStart(char)) return this.#push('Identifier', this.#at + this.#match(NAME).length);
    switch (char) {
      case ',':
        return this.#push('Comma', this.#at + 1);
      case '"':
      case "'":
      case '`':
        return this.#string();
      case '=':
        if (this.#text[this.#at + 1] === '~') return this.#push('EqualRegex', this.#at + 2);
        return this.#push('Equal', this.#at + 1);
      case '!': {
        const next = this.#text[this.#at + 1];
        if (next === '~') return this.#push('NotEqualRegex', this.#at + 2);
        if (next === '=') return this.#push('NotEqual', this.#at + 2);
        return this.#failAfter(char, ' inside braces');
      }
      case '{':
        throw new MalformedError("unexpected left brace '{'");
      case '}':
        this.#mode = 'statement';
        return this.#push('RightBrace', this.#at + 1);
    }
    this.#fail('unexpected character inside braces: ');
  }

  /** Behind `[`, until the first number has been read. */
  #duration(): void {
    const char = this.#text[this.#at]!;
    if (isDigit(char) || (char === '.' && isDigit(this.#text[this.#at + 1]))) return this.#number();
    if (char === '(' || char === ')') return this.#paren(char);
    if (char === ']') return this.#closeBracket();
    if (char === ':') return this.#durationColon();
    if (isNameStart(char)) {
      const kind = this.#durationWord();
      if (kind !== undefined) return this.#push(kind, this.#at + this.#match(LETTERS).length);
    }
    const symbol = char === '@' ? undefined : SYMBOLS[char];
    if (symbol === undefined) this.#fail('unexpected character in duration expression: ');
    this.#push(symbol, this.#at + 1);
  }

  /**
   * Prometheus wants a number before the colon, but asks whether any bracket so far held one: so
   * `a[range():5m]` fails, and behind `b[5m]` it does not.
   */
  #durationColon(): void {
    if (this.#numberWasSeen && !this.#colonWasSeen) {
      this.#colonWasSeen = true;
      return this.#push('Colon', this.#at + 1);
    }
    this.#at++; // It points behind the colon.
    throw new MalformedError(
      this.#numberWasSeen
        ? 'unexpected repeated colon in duration expression'
        : 'unexpected colon before duration in duration expression',
    );
  }

  #number(): void {
    const { kind, end } = scanNumber(this.#text, this.#at);
    this.#numberWasSeen ||= this.#bracketIsOpen;
    this.#mode = 'statement';
    this.#push(kind, end);
  }

  #string(): void {
    const { value, end } = scanString(this.#text, this.#at);
    this.#push('String', end, value);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)![0];
  }

  /** Appends the token that ends at `end` and moves there. */
  #push(kind: TokenKind, end: number, payload?: string): void {
    const tokenType: TokenType = this.#vocabulary[kind];
    this.#tokens.push({
      kind,
      image: this.#text.slice(this.#at, end),
      startOffset: this.#at,
      endOffset: end - 1,
      tokenType,
      tokenTypeIdx: tokenType.tokenTypeIdx!,
      payload,
    });
    this.#at = end;
  }

  #fail(before: string, after = ''): never {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at)!);
    throw new MalformedError(`${before}${quoteCharacter(char)}${after}`);
  }

  #failAfter(char: string, where = ''): never {
    // The end of the text shows as a replacement character.
    const next = String.fromCodePoint(this.#text.codePointAt(this.#at + 1) ?? 0xfffd);
    throw new MalformedError(
      `unexpected character after '${char}'${where}: ${quoteCharacter(next)}`,
    );
  }
}

const COMPARISONS: Readonly<Record<string, TokenKind>> = {
  '==': 'EqualEqual',
  '!=': 'NotEqual',
  '<=': 'LessEqual',
  '>=': 'GreaterEqual',
  '</': 'TrimUpper',
  '>/': 'TrimLower',
};

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

function isNameStart(char: string): boolean {
  return (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z') || char === '_';
}
