/** Rules for whole expressions: operators, calls, aggregations, and what may follow them. */
import type { BinaryOperator, Expr, VectorSelector } from '../../ast.ts';
import {
  buildAggregation,
  buildAt,
  buildBinary,
  buildBracket,
  buildCall,
  buildExtended,
  buildNumber,
  buildUnary,
  type Grouping,
  type Modifiers,
  rangeOf,
} from '../build-ast.ts';
import type { Chevrotain } from '../chevrotain.ts';
import type { Token } from '../lexer.ts';
import { OperatorStack, type StackOperator } from '../operator-stack.ts';
import type { TokenKind, Vocabulary } from '../tokens.ts';
import { PRECEDENCES, SIGN_PRECEDENCE } from './precedences.ts';
import { selectorRules } from './selector-rules.ts';

const BEFORE_LABELS = 'grouping opts, expected "("';

/** Tokens that can begin an expression; anything else behind a comma means a trailing comma. */
const EXPRESSION_STARTS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'Identifier',
  'MetricIdentifier',
  'Number',
  'Duration',
  'String',
  'LeftParen',
  'LeftBrace',
  'Plus',
  'Minus',
  'And',
  'Or',
  'Unless',
  'Aggregator',
  'By',
  'Without',
  'Offset',
  'Anchored',
  'Smoothed',
  'Fill',
  'FillLeft',
  'FillRight',
  'Start',
  'End',
  'Step',
  'Range',
  'MinOf',
  'MaxOf',
]);

function precedenceOf(token: { readonly image: string }): number {
  return PRECEDENCES[token.image.toLowerCase() as BinaryOperator];
}

export function expressionRules(chevrotain: Chevrotain, t: Vocabulary, skipValidations: boolean) {
  const SelectorRules = selectorRules(chevrotain, t, skipValidations);

  return class ExpressionRules extends SelectorRules {
    constructor() {
      super();
      this.performSelfAnalysis();
    }

    readonly wholeQuery = this.RULE('wholeQuery', (): Expr => {
      this.ACTION(() => {
        if (this.LA(1).tokenType !== chevrotain.EOF) return;
        this.fail('no expression found in input', { start: 0, end: 0 });
      });
      return this.SUBRULE(this.expr);
    });

    readonly expr = this.RULE('expr', (): Expr => {
      const stack = new OperatorStack<Expr>();
      this.SUBRULE(this.operand, { ARGS: [stack] });
      this.MANY(() => {
        this.ACTION(() => stack.buildBefore(precedenceOf(this.LA(1)), this.LA(1).image === '^'));
        const operator = this.CONSUME(t.BinaryOperator);
        const modifiers = this.SUBRULE(this.modifiers);
        this.ACTION(() => stack.pushBinary(this.#binaryOperator(operator as Token, modifiers)));
        this.SUBRULE2(this.operand, { ARGS: [stack] });
      });
      return this.ACTION(() => stack.finish());
    });

    #binaryOperator(token: Token, modifiers: Modifiers | null): StackOperator<Expr> {
      const operator = token.image.toLowerCase() as BinaryOperator;
      return {
        precedence: PRECEDENCES[operator],
        isRightAssociative: operator === '^',
        operandCount: 2,
        build: ([left, right]) => {
          const binary = buildBinary(operator, modifiers, left!, right!, rangeOf(token));
          const { matching } = binary;
          const fills = matching !== null && (matching.fillLeft ?? matching.fillRight) !== null;
          if (fills && !this.options.binopFillModifiers) {
            const what = 'binop fill modifiers are experimental and not enabled';
            this.failAfterNext(what, binary.range);
          }
          return binary;
        },
      };
    }

    /** Signs and what they apply to. */
    readonly operand = this.RULE('operand', (stack: OperatorStack<Expr>): void => {
      this.MANY(() => {
        const sign = this.CONSUME(t.Sign) as Token;
        this.ACTION(() =>
          stack.pushSign({
            precedence: SIGN_PRECEDENCE,
            isRightAssociative: true,
            operandCount: 1,
            build: ([expr]) => buildUnary(sign, expr!),
          }),
        );
      });
      const expr = this.SUBRULE(this.postfix);
      this.ACTION(() => stack.pushOperand(expr));
    });

    readonly postfix = this.RULE('postfix', (): Expr => {
      let expr = this.SUBRULE(this.primary);
      this.MANY(() => {
        this.OR([
          {
            ALT: () => {
              const bracket = this.SUBRULE(this.bracket);
              expr = this.ACTION(() => buildBracket(expr, bracket, this.failNow));
            },
          },
          {
            ALT: () => {
              expr = this.SUBRULE(this.offset, { ARGS: [expr] });
            },
          },
          {
            ALT: () => {
              const at = this.SUBRULE(this.at);
              expr = this.ACTION(() => buildAt(expr, at, this.end(), this.failNow));
            },
          },
          { ALT: () => (expr = this.#extended(this.CONSUME(t.Anchored), expr)) },
          { ALT: () => (expr = this.#extended(this.CONSUME(t.Smoothed), expr)) },
        ]);
      });
      return expr;
    });

    #extended(token: object, expr: Expr): Expr {
      return this.ACTION(() => {
        const modifier = (token as Token).kind === 'Anchored' ? 'anchored' : 'smoothed';
        return buildExtended(expr, modifier, this.end(), this.options, this.failNow);
      });
    }

    readonly primary = this.RULE(
      'primary',
      (): Expr =>
        this.OR([
          {
            ALT: () => {
              const token = this.CONSUME(t.Quantity) as Token;
              return this.ACTION(() => buildNumber(token, this.failNow));
            },
          },
          {
            ALT: (): Expr => {
              const token = this.CONSUME(t.String) as Token;
              return this.ACTION(() => ({
                kind: 'StringLiteral',
                range: rangeOf(token),
                value: token.payload!,
              }));
            },
          },
          { ALT: () => this.SUBRULE(this.paren) },
          { ALT: () => this.SUBRULE(this.call) },
          { ALT: () => this.SUBRULE(this.aggregation) },
          { ALT: () => this.SUBRULE(this.selector) },
        ]),
    );

    readonly paren = this.RULE('paren', (): Expr => {
      const start = this.CONSUME(t.LeftParen).startOffset;
      const expr = this.SUBRULE(this.expr);
      const end = this.CONSUME(t.RightParen).endOffset! + 1;
      return { kind: 'Paren', range: { start, end }, expr };
    });

    // --- Calls and aggregations ---

    readonly call = this.RULE('call', (): Expr => {
      const name = this.CONSUME(t.FunctionName) as Token;
      const args = this.SUBRULE(this.args);
      return this.ACTION(() => buildCall(name, args, this.end(), this.options, this.failNow));
    });

    readonly aggregation = this.RULE('aggregation', (): Expr => {
      const name = this.CONSUME(t.Aggregator) as Token;
      const outerPlace = this.place;
      let fail = this.failNow;
      let grouping: Grouping | null = null;
      let args: Expr[] = [];
      this.OR([
        {
          ALT: () => {
            grouping = this.SUBRULE(this.grouping);
            this.place = 'aggregation';
            args = this.SUBRULE(this.args);
          },
        },
        {
          ALT: () => {
            this.place = 'aggregation';
            args = this.SUBRULE2(this.args);
            fail = this.failAfterNext;
            this.OPTION(() => {
              grouping = this.SUBRULE2(this.grouping);
              fail = this.failNow;
            });
          },
        },
      ]);
      this.place = outerPlace;
      return this.ACTION(() =>
        buildAggregation(name, args, grouping, this.end(), this.options, fail),
      );
    });

    readonly grouping = this.RULE('grouping', (): Grouping => {
      const without = this.OR([
        { ALT: () => this.CONSUME(t.By) && false },
        { ALT: () => this.CONSUME(t.Without) && true },
      ]);
      const labels = this.SUBRULE(this.labels);
      return { labels, without };
    });

    readonly args = this.RULE('args', (): Expr[] => {
      const args: Expr[] = [];
      this.CONSUME(t.LeftParen);
      this.OPTION(() => {
        args.push(this.SUBRULE(this.expr));
        this.MANY(() => {
          const comma = this.CONSUME(t.Comma) as Token;
          this.ACTION(() => this.#refuseTrailingComma(comma));
          args.push(this.SUBRULE2(this.expr));
        });
      });
      this.CONSUME(t.RightParen);
      return args;
    });

    #refuseTrailingComma(comma: Token): void {
      const next = this.LA(1) as Token;
      if (next.tokenType === chevrotain.EOF || EXPRESSION_STARTS.has(next.kind)) return;
      this.failAfterNext('trailing commas not allowed in function call args', rangeOf(comma));
    }

    // --- Binary modifiers ---

    /** Null when nothing stands between the operator and its right side. */
    readonly modifiers = this.RULE('modifiers', (): Modifiers | null => {
      let returnBool = false;
      let on = false;
      let labels: string[] = [];
      let group: Modifiers['group'] = null;
      let include: string[] = [];
      let fillLeft: number | null = null;
      let fillRight: number | null = null;
      let hasMatching = false;
      this.OPTION(() => {
        this.CONSUME(t.Bool);
        returnBool = true;
      });
      this.OPTION2(() => {
        hasMatching = true;
        on = this.OR([
          { ALT: () => this.CONSUME(t.On) && true },
          { ALT: () => this.CONSUME(t.Ignoring) && false },
        ]);
        labels = this.SUBRULE(this.labels);
        this.OPTION3(() => {
          group = this.OR2([
            { ALT: () => this.CONSUME(t.GroupLeft) && 'left' },
            { ALT: () => this.CONSUME(t.GroupRight) && 'right' },
          ]) as Modifiers['group'];
          const outerPlace = this.place;
          this.place = BEFORE_LABELS;
          this.OPTION4(() => (include = this.SUBRULE2(this.labels)));
          this.ACTION(() => this.#requireOperandAfterGroup());
          this.place = outerPlace;
        });
      });
      this.OPTION5(() => {
        hasMatching = true;
        this.OR3([
          {
            ALT: () => {
              this.CONSUME(t.Fill);
              fillLeft = fillRight = this.SUBRULE(this.fillValue);
            },
          },
          {
            ALT: () => {
              this.CONSUME(t.FillLeft);
              fillLeft = this.SUBRULE2(this.fillValue);
              this.OPTION6(() => {
                this.CONSUME2(t.FillRight);
                fillRight = this.SUBRULE3(this.fillValue);
              });
            },
          },
          {
            ALT: () => {
              this.CONSUME(t.FillRight);
              fillRight = this.SUBRULE4(this.fillValue);
              this.OPTION7(() => {
                this.CONSUME2(t.FillLeft);
                fillLeft = this.SUBRULE5(this.fillValue);
              });
            },
          },
        ]);
      });
      if (!returnBool && !hasMatching) return null;
      return { hasMatching, returnBool, on, labels, group, include, fillLeft, fillRight };
    });

    /** A bare `group_left` before something that is no operand: the labels are missed, not that. */
    #requireOperandAfterGroup(): void {
      const lastKind = (this.LA(0) as Token).kind;
      if (lastKind !== 'GroupLeft' && lastKind !== 'GroupRight') return;
      const next = this.LA(1) as Token;
      if (next.tokenType === chevrotain.EOF || !EXPRESSION_STARTS.has(next.kind)) {
        this.failAt(next);
      }
    }

    readonly fillValue = this.RULE('fillValue', (): number => {
      this.CONSUME(t.LeftParen);
      const value = this.SUBRULE(this.signedQuantity);
      this.CONSUME(t.RightParen);
      return value;
    });

    readonly loneSelector = this.RULE(
      'loneSelector',
      (): VectorSelector => this.SUBRULE(this.selector),
    );
  };
}
