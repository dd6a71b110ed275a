/**
 * The words of PromQL. Keywords are not reserved: most of them may also name a metric or a label,
 * which is what the categories say; which meaning holds, the grammar decides by the place.
 */
import type { TokenType } from 'chevrotain';
import { quoteText } from '../../model/index.ts';
import { AGGREGATION_OPERATORS } from '../ast.ts';
import type { Chevrotain } from './chevrotain.ts';

/** How a token is called in "unexpected …". */
type Looks = 'identifier' | 'literal' | 'symbol' | 'operator' | 'keyword' | 'aggregator';

type Row = { looks: Looks; category?: readonly string[]; called?: string };

const NAME = ['MetricName', 'LabelName'];
const CALL = ['MetricName', 'LabelName', 'FunctionName'];

/** Every kind of token, with what it may stand for besides itself. */
const ROWS = {
  Identifier: { looks: 'identifier', category: CALL, called: 'identifier' },
  MetricIdentifier: { looks: 'identifier', category: NAME, called: 'metric identifier' },
  Number: { looks: 'literal', category: ['Quantity'], called: 'number' },
  Duration: { looks: 'literal', category: ['Quantity'], called: 'duration' },
  String: { looks: 'literal', category: ['LabelName'], called: 'string' },
  LeftParen: { looks: 'symbol' },
  RightParen: { looks: 'symbol' },
  LeftBrace: { looks: 'symbol' },
  RightBrace: { looks: 'symbol' },
  LeftBracket: { looks: 'symbol' },
  RightBracket: { looks: 'symbol' },
  Comma: { looks: 'symbol' },
  Colon: { looks: 'symbol' },
  Equal: { looks: 'symbol', category: ['MatchOperator'] },
  EqualRegex: { looks: 'operator', category: ['MatchOperator'] },
  NotEqualRegex: { looks: 'operator', category: ['MatchOperator'] },
  NotEqual: { looks: 'operator', category: ['MatchOperator', 'BinaryOperator'] },
  EqualEqual: { looks: 'operator', category: ['BinaryOperator'] },
  Less: { looks: 'operator', category: ['BinaryOperator'] },
  Greater: { looks: 'operator', category: ['BinaryOperator'] },
  LessEqual: { looks: 'operator', category: ['BinaryOperator'] },
  GreaterEqual: { looks: 'operator', category: ['BinaryOperator'] },
  TrimUpper: { looks: 'operator', category: ['BinaryOperator'] },
  TrimLower: { looks: 'operator', category: ['BinaryOperator'] },
  Plus: { looks: 'operator', category: ['BinaryOperator', 'DurationOperator', 'Sign'] },
  Minus: { looks: 'operator', category: ['BinaryOperator', 'DurationOperator', 'Sign'] },
  Times: { looks: 'operator', category: ['BinaryOperator', 'DurationOperator'] },
  Divide: { looks: 'operator', category: ['BinaryOperator', 'DurationOperator'] },
  Modulo: { looks: 'operator', category: ['BinaryOperator', 'DurationOperator'] },
  Power: { looks: 'operator', category: ['BinaryOperator', 'DurationOperator'] },
  At: { looks: 'operator' },
  And: { looks: 'operator', category: ['BinaryOperator', ...NAME] },
  Or: { looks: 'operator', category: ['BinaryOperator', ...NAME] },
  Unless: { looks: 'operator', category: ['BinaryOperator', ...NAME] },
  Atan2: { looks: 'operator', category: ['BinaryOperator', 'LabelName'] },
  Aggregator: { looks: 'aggregator', category: NAME },
  By: { looks: 'keyword', category: NAME },
  // The one keyword that Prometheus does not take as a label name.
  Without: { looks: 'keyword', category: ['MetricName'] },
  On: { looks: 'keyword', category: ['LabelName'] },
  Ignoring: { looks: 'keyword', category: ['LabelName'] },
  GroupLeft: { looks: 'keyword', category: ['LabelName'] },
  GroupRight: { looks: 'keyword', category: ['LabelName'] },
  Bool: { looks: 'keyword', category: ['LabelName'] },
  Offset: { looks: 'keyword', category: NAME },
  Anchored: { looks: 'keyword', category: NAME },
  Smoothed: { looks: 'keyword', category: NAME },
  Fill: { looks: 'keyword', category: NAME },
  FillLeft: { looks: 'keyword', category: NAME },
  FillRight: { looks: 'keyword', category: NAME },
  Start: { looks: 'symbol', category: CALL },
  End: { looks: 'symbol', category: CALL },
  Step: { looks: 'symbol', category: CALL },
  Range: { looks: 'symbol', category: CALL },
  MinOf: { looks: 'symbol', category: CALL },
  MaxOf: { looks: 'symbol', category: CALL },
  /** What the lexer could not read, or a bracket that was never closed. `payload` is the message. */
  Malformed: { looks: 'symbol' },
} as const satisfies Record<string, Row>;

const CATEGORIES = [
  'MetricName',
  'LabelName',
  'FunctionName',
  'Quantity',
  'MatchOperator',
  'BinaryOperator',
  'DurationOperator',
  'Sign',
] as const;

export type TokenKind = keyof typeof ROWS;
type TokenCategory = (typeof CATEGORIES)[number];
export type Vocabulary = Readonly<Record<TokenKind | TokenCategory, TokenType>>;

/** Words that mean something of their own where they fit; matched in any case. */
export const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['and', 'And'],
  ['or', 'Or'],
  ['unless', 'Unless'],
  ['atan2', 'Atan2'],
  ['by', 'By'],
  ['without', 'Without'],
  ['on', 'On'],
  ['ignoring', 'Ignoring'],
  ['group_left', 'GroupLeft'],
  ['group_right', 'GroupRight'],
  ['bool', 'Bool'],
  ['offset', 'Offset'],
  ['anchored', 'Anchored'],
  ['smoothed', 'Smoothed'],
  ['fill', 'Fill'],
  ['fill_left', 'FillLeft'],
  ['fill_right', 'FillRight'],
  ['start', 'Start'],
  ['end', 'End'],
  ['step', 'Step'],
  ['range', 'Range'],
  ['min_of', 'MinOf'],
  ['max_of', 'MaxOf'],
  ['inf', 'Number'],
  ['nan', 'Number'],
  ...AGGREGATION_OPERATORS.map((name) => [name, 'Aggregator'] as const),
]);

export function createVocabulary({ createToken }: Chevrotain): Vocabulary {
  const types: Record<string, TokenType> = {};
  for (const name of CATEGORIES) types[name] = createToken({ name, pattern: /NOT_LEXED/ });
  for (const [name, row] of Object.entries<Row>(ROWS)) {
    const categories = (row.category ?? []).map((category) => types[category]!);
    types[name] = createToken({ name, categories, pattern: /NOT_LEXED/ });
  }
  return types as Vocabulary;
}

/** What stands after "unexpected": the token as Prometheus names it. */
export function describeToken(kind: TokenKind, image: string): string {
  const row: Row = ROWS[kind];
  switch (row.looks) {
    case 'identifier':
      return `${row.called} ${quoteText(image)}`;
    case 'literal':
      return `${row.called} ${quoteStart(image)}`;
    case 'symbol':
      return quoteText(image);
    case 'operator':
      return `<op:${image}>`;
    case 'keyword':
      return `<${image}>`;
    case 'aggregator':
      return `<aggr:${image}>`;
  }
}

/** Literals of more than ten bytes are cut after ten characters. */
function quoteStart(image: string): string {
  if (Buffer.byteLength(image) <= 10) return quoteText(image);
  return `${quoteText(Array.from(image).slice(0, 10).join(''))}...`;
}
