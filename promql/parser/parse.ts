/** Query text to a checked syntax tree. */
import type { Matcher } from '../../model/index.ts';
import type { Expr } from '../ast.ts';
import { checkExpr } from './check.ts';
import { loadChevrotain } from './chevrotain.ts';
import { createGrammar, type Grammar } from './grammar.ts';
import type { ParserOptions } from './options.ts';

let grammar: Grammar | undefined;

/** Made when first needed: Chevrotain studies the grammar then, which takes some milliseconds. */
function theGrammar(): Grammar {
  return (grammar ??= createGrammar(loadChevrotain(), true));
}

/** @throws PromqlParseError, with Prometheus's words and position, for the first thing that is wrong */
export function parseExpr(query: string, options: ParserOptions = {}): Expr {
  const expr = theGrammar().parseExpr(query, options);
  checkExpr(expr, query);
  return expr;
}

/**
 * The matchers of a lone selector such as `up{job="x"}`, as `match[]` parameters have it. Whether
 * they would match every series is for the caller to judge.
 * @throws PromqlParseError
 */
export function parseSelector(text: string): readonly Matcher[] {
  return theGrammar().parseSelector(text);
}
