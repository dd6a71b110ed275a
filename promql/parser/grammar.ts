/**
 * The grammar of PromQL, in Chevrotain's terms; nodes are built on the way, without a concrete
 * syntax tree in between. Operators are read flat and put in order by `OperatorStack`. The rules
 * are one class in four layers, lowest first: base, duration, selector, expression.
 *
 * Sources: PromQL documentation; behaviour observed on Prometheus 3.14.
 */
import type { Matcher } from '../../model/index.ts';
import type { Expr } from '../ast.ts';
import type { Chevrotain } from './chevrotain.ts';
import { expressionRules } from './grammar/expression-rules.ts';
import type { ParserOptions } from './options.ts';
import { createVocabulary } from './tokens.ts';

export type Grammar = {
  /** @throws PromqlParseError at the first thing that is wrong */
  parseExpr(query: string, options: ParserOptions): Expr;
  /** A lone `name{…}`; @throws PromqlParseError */
  parseSelector(text: string): readonly Matcher[];
};

/** @param skipValidations  leave out Chevrotain's checks of the grammar itself, which tests make */
export function createGrammar(chevrotain: Chevrotain, skipValidations: boolean): Grammar {
  const Parser = expressionRules(chevrotain, createVocabulary(chevrotain), skipValidations);
  const parser = new Parser();
  return {
    parseExpr: (query, options) => parser.parse(parser.wholeQuery, query, options),
    parseSelector: (text) => parser.parse(parser.loneSelector, text, {}).matchers,
  };
}
