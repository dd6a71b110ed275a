/** Rules for selectors and lists of labels: `name{a="b"}`, `(a, "b c",)`. */
import { isValidLabelName, type Matcher, quoteText } from '../../../model/index.ts';
import type { VectorSelector } from '../../ast.ts';
import { buildMatcher, buildNameMatcher, buildSelector, rangeFrom, rangeOf } from '../build-ast.ts';
import type { Chevrotain } from '../chevrotain.ts';
import type { Token } from '../lexer.ts';
import type { Vocabulary } from '../tokens.ts';
import { durationRules } from './duration-rules.ts';

const IN_LABELS = 'grouping opts, expected label';
const AFTER_LABEL = 'grouping opts, expected "," or ")"';
const BEFORE_LABELS = 'grouping opts, expected "("';
const IN_MATCHERS = 'label matching, expected identifier or "}"';
const AFTER_LABEL_NAME = 'label matching, expected label matching operator';
const AFTER_MATCH_OPERATOR = 'label matching, expected string';
const AFTER_MATCHER = 'label matching, expected "," or "}"';

export function selectorRules(chevrotain: Chevrotain, t: Vocabulary, skipValidations: boolean) {
  const DurationRules = durationRules(chevrotain, t, skipValidations);

  return class SelectorRules extends DurationRules {
    /** `(a, b)`, with a comma at the end if one likes. */
    readonly labels = this.RULE('labels', (): string[] => {
      const outerPlace = this.place;
      const labels: string[] = [];
      this.place = BEFORE_LABELS;
      this.CONSUME(t.LeftParen);
      this.place = IN_LABELS;
      this.OPTION(() => {
        labels.push(this.SUBRULE(this.label));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          labels.push(this.SUBRULE2(this.label));
        });
        this.OPTION2(() => {
          this.CONSUME2(t.Comma);
          this.place = IN_LABELS;
        });
      });
      this.CONSUME(t.RightParen);
      this.place = outerPlace;
      return labels;
    });

    readonly label = this.RULE('label', (): string => {
      const token = this.CONSUME(t.LabelName) as Token;
      this.place = AFTER_LABEL;
      return this.ACTION(() => {
        const name = token.payload ?? token.image;
        if (!isValidLabelName(name)) {
          this.fail(`invalid label name for grouping: ${quoteText(name)}`, rangeOf(token));
        }
        return name;
      });
    });

    readonly selector = this.RULE('selector', (): VectorSelector => {
      let name: Token | null = null;
      let matchers: Matcher[] = [];
      this.OR([
        {
          ALT: () => {
            name = this.CONSUME(t.MetricName) as Token;
            this.OPTION(() => (matchers = this.SUBRULE(this.matchers)));
          },
        },
        { ALT: () => (matchers = this.SUBRULE2(this.matchers)) },
      ]);
      return this.ACTION(() => {
        const end = this.end();
        const start = name?.startOffset ?? this.braceStart;
        return buildSelector(name, matchers, { start, end });
      });
    });

    braceStart = 0;

    readonly matchers = this.RULE('matchers', (): Matcher[] => {
      const outerPlace = this.place;
      const matchers: Matcher[] = [];
      this.braceStart = this.CONSUME(t.LeftBrace).startOffset;
      this.place = IN_MATCHERS;
      this.OPTION(() => {
        matchers.push(this.SUBRULE(this.matcher));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          matchers.push(this.SUBRULE2(this.matcher));
        });
        this.OPTION2(() => {
          this.CONSUME2(t.Comma);
          this.place = IN_MATCHERS;
        });
      });
      this.CONSUME(t.RightBrace);
      this.place = outerPlace;
      return matchers;
    });

    readonly matcher = this.RULE(
      'matcher',
      (): Matcher =>
        this.OR([
          {
            ALT: () => {
              const label = this.CONSUME(t.Identifier) as Token;
              this.place = AFTER_LABEL_NAME;
              return this.SUBRULE(this.condition, { ARGS: [label] });
            },
          },
          {
            ALT: () => {
              const label = this.CONSUME(t.String) as Token;
              this.place = AFTER_MATCHER;
              let matcher: Matcher | null = null;
              this.OPTION(() => (matcher = this.SUBRULE2(this.condition, { ARGS: [label] })));
              return this.ACTION(() => matcher ?? buildNameMatcher(label));
            },
          },
        ]),
    );

    readonly condition = this.RULE('condition', (label: Token): Matcher => {
      const operator = this.CONSUME(t.MatchOperator) as Token;
      this.place = AFTER_MATCH_OPERATOR;
      const value = this.CONSUME(t.String) as Token;
      this.place = AFTER_MATCHER;
      return this.ACTION(() => {
        const range = rangeFrom(rangeOf(label), rangeOf(value));
        return buildMatcher(label, operator, value, range, this.failNow);
      });
    });
  };
}
