import { compileRegex, type CompiledRegex } from './regex.ts';
import { quoteText } from './labels.ts';

export const MATCH_OPERATORS = ['=', '!=', '=~', '!~'] as const;
export type MatchOperator = (typeof MATCH_OPERATORS)[number];

/**
 * A condition on the value of one label. An absent label has the empty value.
 * The regular expressions are RE2's, anchored at both ends.
 */
export class Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  /** Present for `=~` and `!~`. */
  readonly regex: CompiledRegex | null;

  /** @throws ValueError when the regular expression is malformed */
  constructor(name: string, operator: MatchOperator, value: string) {
    this.name = name;
    this.operator = operator;
    this.value = value;
    this.regex = operator === '=~' || operator === '!~' ? compileRegex(value) : null;
  }

  matches(labelValue: string): boolean {
    switch (this.operator) {
      case '=':
        return labelValue === this.value;
      case '!=':
        return labelValue !== this.value;
      case '=~':
        return this.regex!.test(labelValue);
      case '!~':
        return !this.regex!.test(labelValue);
    }
  }

  /** Whether series without the label satisfy it. */
  get matchesEmpty(): boolean {
    return this.matches('');
  }

  /** `name="value"`, with the name quoted where it needs to be. */
  toString(): string {
    const plain = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(this.name);
    return `${plain ? this.name : quoteText(this.name)}${this.operator}${quoteText(this.value)}`;
  }
}
