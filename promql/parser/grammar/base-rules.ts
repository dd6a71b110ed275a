/**
 * What all rules of the grammar share: where the parser stands, and how it says what is wrong.
 *
 * Prometheus's own parser is table-driven. Two of its traits show in error texts and are kept:
 *
 *  - "unexpected X in Y": Y is the innermost construct that has a name. The rules set `place` to it
 *    before they go on; an error takes what is there. So an error deep inside the arguments of
 *    `sum(…)` happens "in aggregation", one inside those of `rate(…)` has no place.
 *  - It reads one token ahead before it finishes a construct that could go on. If that token cannot
 *    even be read, this is reported first: see `failAfterNext`.
 *
 * Source: error texts and positions observed on Prometheus 3.14's `parse_query`.
 */
import type { TextRange } from '../../../model/index.ts';
import { rangeOf } from '../build-ast.ts';
import type { Chevrotain } from '../chevrotain.ts';
import { type Fail, PromqlParseError } from '../errors.ts';
import { type Token, tokenize } from '../lexer.ts';
import type { ParserOptions } from '../options.ts';
import { describeToken, type Vocabulary } from '../tokens.ts';

const silent = () => '';

export function baseRules(
  chevrotain: Chevrotain,
  vocabulary: Vocabulary,
  skipValidations: boolean,
) {
  return class BaseRules extends chevrotain.EmbeddedActionsParser {
    query = '';
    options: ParserOptions = {};
    /** What stands behind "in" when an unexpected token is met now. */
    place = '';

    constructor() {
      super(Object.values(vocabulary), {
        recoveryEnabled: false,
        maxLookahead: 2,
        skipValidations,
        // Chevrotain's own texts are never shown, and costly to make.
        errorMessageProvider: {
          buildMismatchTokenMessage: silent,
          buildNotAllInputParsedMessage: silent,
          buildNoViableAltMessage: silent,
          buildEarlyExitMessage: silent,
        },
      });
    }

    parse<T>(rule: () => T, query: string, options: ParserOptions): T {
      this.query = query;
      this.options = options;
      this.place = '';
      this.input = tokenize(query, vocabulary);
      const result = rule.call(this);
      const [error] = this.errors;
      if (error !== undefined) this.failAt(error.token as Token);
      return result;
    }

    failAt(token: Token): never {
      const place = this.place === '' ? '' : ` in ${this.place}`;
      if (token.tokenType === chevrotain.EOF) {
        const end = this.query.length;
        return this.fail(`unexpected end of input${place}`, { start: end, end });
      }
      if (token.kind === 'Malformed') this.fail(token.payload!, rangeOf(token));
      this.fail(`unexpected ${describeToken(token.kind, token.image)}${place}`, rangeOf(token));
    }

    fail(what: string, range: TextRange): never {
      throw new PromqlParseError(what, this.query, range);
    }

    readonly failNow: Fail = (what, range) => this.fail(what, range);

    /** For what is only known after a look at the next token: that comes first if unreadable. */
    readonly failAfterNext: Fail = (what, range) => {
      const next = this.LA(1) as Token;
      if (next.kind === 'Malformed') this.fail(next.payload!, rangeOf(next));
      this.fail(what, range);
    };

    /** The end of the token that was consumed last. */
    end(): number {
      return this.LA(0).endOffset! + 1;
    }
  };
}
