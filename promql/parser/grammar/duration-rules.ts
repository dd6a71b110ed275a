/** Rules for durations and times: `[5m:1m]`, `offset (step() * 2)`, `@ end()`. */
import type { AtModifier, DurationBinary, DurationExpr, Expr } from '../../ast.ts';
import {
  type Bracket,
  buildDurationBinary,
  buildDurationLiteral,
  buildDurationUnary,
  buildOffset,
  buildOffsetSign,
  quantityOf,
  rangeFrom,
  rangeOf,
  wrapDuration,
} from '../build-ast.ts';
import type { Chevrotain } from '../chevrotain.ts';
import { problemOfDivisor, requireDuration } from '../durations.ts';
import type { Token } from '../lexer.ts';
import { OperatorStack, type StackOperator } from '../operator-stack.ts';
import type { TokenKind, Vocabulary } from '../tokens.ts';
import { baseRules } from './base-rules.ts';
import { PRECEDENCES, SIGN_PRECEDENCE } from './precedences.ts';

const IN_WINDOW = 'subquery or range selector, expected number, duration, step(), or range()';
const AFTER_WINDOW = 'subquery or range, expected ":" or "]"';
const IN_STEP = 'subquery selector, expected number, duration, step(), range(), or "]"';
const AFTER_STEP = 'subquery selector, expected "]"';
const IN_OFFSET = 'offset, expected number, duration, step(), or range()';
const IN_AT = '@, expected timestamp';

export function durationRules(chevrotain: Chevrotain, t: Vocabulary, skipValidations: boolean) {
  const BaseRules = baseRules(chevrotain, t, skipValidations);

  return class DurationRules extends BaseRules {
    readonly signedQuantity = this.RULE('signedQuantity', (): number => {
      let isNegative = false;
      this.OPTION(() => {
        const sign = this.CONSUME(t.Sign) as Token;
        isNegative = sign.kind === 'Minus';
      });
      const token = this.CONSUME(t.Quantity) as Token;
      return this.ACTION(() => {
        const { value } = quantityOf(token, this.failNow);
        return isNegative ? -value : value;
      });
    });

    readonly bracket = this.RULE('bracket', (): Bracket => {
      const outerPlace = this.place;
      const { startOffset: start } = this.CONSUME(t.LeftBracket);
      this.place = IN_WINDOW;
      const windowExpr = this.SUBRULE(this.duration);
      const window = this.ACTION(() => requireDuration(windowExpr, false, this.failAfterNext));
      this.place = AFTER_WINDOW;
      let step: Bracket['step'];
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        step = null;
        this.place = IN_STEP;
        this.OPTION2(() => {
          const stepExpr = this.SUBRULE2(this.duration);
          step = this.ACTION(() => requireDuration(stepExpr, false, this.failAfterNext));
          this.place = AFTER_STEP;
        });
      });
      this.CONSUME(t.RightBracket);
      this.place = outerPlace;
      return this.ACTION(() => ({ range: { start, end: this.end() }, window, step }));
    });

    /**
     * Behind `offset` stands one quantity, so that `a offset 5m + b` means what one expects; only a
     * parenthesis or a double sign opens a whole duration expression, and that goes on behind the
     * parenthesis: `a offset (5m) + 3` is an offset of 303 s. So it is in Prometheus.
     */
    readonly offset = this.RULE('offset', (expr: Expr): Expr => {
      const outerPlace = this.place;
      this.CONSUME(t.Offset);
      this.place = IN_OFFSET;
      let fail = this.failNow;
      const duration = this.OR({
        DEF: [
          {
            GATE: () => this.#startsDurationExpression(),
            ALT: () => {
              fail = this.failAfterNext;
              return this.SUBRULE(this.duration);
            },
          },
          { ALT: () => this.SUBRULE(this.shortDuration) },
        ],
        IGNORE_AMBIGUITIES: true,
        MAX_LOOKAHEAD: 1,
      });
      this.place = outerPlace;
      return this.ACTION(() =>
        buildOffset(expr, requireDuration(duration, true, fail), this.end(), fail),
      );
    });

    #startsDurationExpression(): boolean {
      const first = (this.LA(1) as Token).kind;
      if (first === 'LeftParen') return true;
      const second = (this.LA(2) as Token).kind;
      const isSign = (kind: TokenKind) => kind === 'Plus' || kind === 'Minus';
      return isSign(first) && isSign(second);
    }

    readonly shortDuration = this.RULE('shortDuration', (): DurationExpr => {
      let sign: Token | null = null;
      this.OPTION(() => (sign = this.CONSUME(t.Sign) as Token));
      const operand = this.SUBRULE(this.durationPrimary, { ARGS: [sign] });
      return this.ACTION(() => (sign === null ? operand : buildOffsetSign(sign, operand)));
    });

    readonly duration = this.RULE('duration', (): DurationExpr => {
      const stack = new OperatorStack<DurationExpr>();
      this.SUBRULE(this.durationOperand, { ARGS: [stack] });
      this.MANY(() => {
        const token = this.CONSUME(t.DurationOperator) as Token;
        this.ACTION(() => stack.pushBinary(this.#durationOperator(token)));
        this.SUBRULE2(this.durationOperand, { ARGS: [stack] });
      });
      return this.ACTION(() => stack.finish());
    });

    #durationOperator(token: Token): StackOperator<DurationExpr> {
      const operator = token.image as DurationBinary['operator'];
      return {
        precedence: PRECEDENCES[operator],
        isRightAssociative: operator === '^',
        operandCount: 2,
        build: ([left, right]) => {
          const problem = problemOfDivisor(operator, right!);
          if (problem !== null) this.failAfterNext(problem, rangeOf(token));
          return buildDurationBinary(operator, left!, right!);
        },
      };
    }

    readonly durationOperand = this.RULE(
      'durationOperand',
      (stack: OperatorStack<DurationExpr>): void => {
        this.MANY(() => {
          const sign = this.CONSUME(t.Sign) as Token;
          this.ACTION(() =>
            stack.pushSign({
              precedence: SIGN_PRECEDENCE,
              isRightAssociative: true,
              operandCount: 1,
              build: ([operand]) => buildDurationUnary(sign, operand!),
            }),
          );
        });
        const operand = this.SUBRULE(this.durationPrimary, { ARGS: [null] });
        this.ACTION(() => stack.pushOperand(operand));
      },
    );

    /** @param sign  what belongs to the literal when its place is told, or null */
    readonly durationPrimary = this.RULE(
      'durationPrimary',
      (sign: Token | null): DurationExpr =>
        this.OR([
          {
            ALT: () => {
              const token = this.CONSUME(t.Quantity) as Token;
              return this.ACTION(() => buildDurationLiteral(token, sign, this.failNow));
            },
          },
          {
            ALT: () => {
              this.CONSUME(t.LeftParen);
              const inner = this.SUBRULE(this.duration);
              this.CONSUME(t.RightParen);
              return this.ACTION(() => wrapDuration(inner));
            },
          },
          { ALT: () => this.SUBRULE(this.durationCall) },
          { ALT: () => this.SUBRULE(this.durationChoice) },
        ]),
    );

    /** `step()` or `range()`. */
    readonly durationCall = this.RULE('durationCall', (): DurationExpr => {
      const token = this.OR([
        { ALT: () => this.CONSUME(t.Step) },
        { ALT: () => this.CONSUME(t.Range) },
      ]) as Token;
      this.CONSUME(t.LeftParen);
      this.CONSUME(t.RightParen);
      return this.ACTION(() => ({
        kind: 'DurationCall',
        range: { start: token.startOffset, end: this.end() },
        wrapped: false,
        name: token.kind === 'Step' ? 'step' : 'range',
        args: [],
      }));
    });

    /** `min_of(a, b)` or `max_of(a, b)`; its range is that of its arguments, as in Prometheus. */
    readonly durationChoice = this.RULE('durationChoice', (): DurationExpr => {
      const token = this.OR([
        { ALT: () => this.CONSUME(t.MinOf) },
        { ALT: () => this.CONSUME(t.MaxOf) },
      ]) as Token;
      this.CONSUME(t.LeftParen);
      const first = this.SUBRULE(this.duration);
      this.CONSUME(t.Comma);
      const second = this.SUBRULE2(this.duration);
      this.CONSUME(t.RightParen);
      return this.ACTION(() => ({
        kind: 'DurationCall',
        range: rangeFrom(first.range, second.range),
        wrapped: false,
        name: token.kind === 'MinOf' ? 'min_of' : 'max_of',
        args: [first, second],
      }));
    });

    /** Seconds since the epoch, or an end of the query. */
    readonly at = this.RULE('at', (): AtModifier => {
      const outerPlace = this.place;
      this.CONSUME(t.At);
      this.place = IN_AT;
      const at = this.OR([
        { ALT: () => this.SUBRULE(this.signedQuantity) },
        { ALT: () => this.CONSUME(t.Start) && this.SUBRULE(this.noArgs) && 'start' },
        { ALT: () => this.CONSUME(t.End) && this.SUBRULE2(this.noArgs) && 'end' },
      ]) as AtModifier;
      this.place = outerPlace;
      return at;
    });

    readonly noArgs = this.RULE('noArgs', (): true => {
      this.CONSUME(t.LeftParen);
      this.CONSUME(t.RightParen);
      return true;
    });
  };
}
