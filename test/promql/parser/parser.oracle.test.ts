/**
 * The same random queries to us and to a real Prometheus: trees, formatted texts, error texts and
 * positions must be equal. NARTHEX_RUNS says how many.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Expr } from '../../../promql/ast.ts';
import { PromqlParseError } from '../../../promql/parser/errors.ts';
import { ALL_FEATURES, type ParserOptions } from '../../../promql/parser/options.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';
import { prettyExpr } from '../../../promql/parser/pretty.ts';
import { exprToJson } from '../../../promql/parser/to-json.ts';
import { type Judge, JUDGE_BINARY, startJudge } from '../../support/judge.ts';
import { mutateQuery, Random, randomQuery } from './support/query-texts.ts';

const COUNT = Number(process.env.NARTHEX_RUNS ?? 1500);
const SEED = Number(process.env.NARTHEX_SEED ?? Date.now() % 1_000_000);
const FEATURES = [
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
];
const PREFIX = 'invalid parameter "query": ';

/** Where we differ on purpose; see print.test.ts. */
const ON_PURPOSE: readonly [why: string, query: RegExp][] = [
  [
    'an error behind anchored or smoothed points at the operator, not at that word',
    /anchored|smoothed/,
  ],
  ['offset NaN is refused', /offset\s+[-+(\s]*nan/i],
  ['a literal in parentheses behind offset keeps them', /offset\s*[-+\s]*\(/],
  ['the braces of an empty selector in info() are printed', /info/],
];

type Outcome = { tree: unknown; formatted: unknown } | { error: string };

describe.skipIf(JUDGE_BINARY === null)('a real Prometheus', () => {
  const judges: Judge[] = [];
  beforeAll(async () => {
    judges.push(await startJudge(JUDGE_BINARY!, FEATURES), await startJudge(JUDGE_BINARY!, []));
  });
  afterAll(async () => {
    for (const judge of judges) await judge.stop();
  });

  test.each([
    ['well-formed queries, all features', 0, ALL_FEATURES, (random: Random) => randomQuery(random)],
    ['damaged queries, all features', 0, ALL_FEATURES, damaged],
    ['damaged queries, no features', 1, {}, damaged],
  ] as const)('agrees about %s', { timeout: 3_600_000 }, async (_, judgeIndex, options, make) => {
    const random = new Random(SEED);
    const differences: string[] = [];
    const counts = { equal: 0, equalErrors: 0, onPurpose: 0 };
    for (let i = 0; i < COUNT; i++) {
      const query = make(random);
      const theirs = await askJudge(judges[judgeIndex]!, query);
      const ours = askUs(query, options);
      if (JSON.stringify(sorted(ours)) === JSON.stringify(sorted(theirs))) {
        counts['error' in ours ? 'equalErrors' : 'equal']++;
      } else if (ON_PURPOSE.some(([, pattern]) => pattern.test(query))) {
        counts.onPurpose++;
      } else {
        differences.push(`${query}\n  ${JSON.stringify(theirs)}\n  ${JSON.stringify(ours)}`);
      }
    }
    console.info(`seed ${SEED}:`, counts, `${differences.length} different`);
    expect(differences.slice(0, 5)).toEqual([]);
    // Differences on purpose are rare; many of them would mean that they hide something.
    expect(counts.onPurpose).toBeLessThan(COUNT / 50 + 5);
  });
});

function damaged(random: Random): string {
  return mutateQuery(random, randomQuery(random));
}

async function askJudge(judge: Judge, query: string): Promise<Outcome> {
  const parsed = await judge.ask('parse_query', { query });
  if (parsed.status === 'error') return { error: parsed.error!.replace(PREFIX, '') };
  const formatted = await judge.ask('format_query', { query });
  return { tree: parsed.data, formatted: formatted.data };
}

function askUs(query: string, options: ParserOptions): Outcome {
  let expr: Expr;
  try {
    expr = parseExpr(query, options);
  } catch (error) {
    if (error instanceof PromqlParseError) return { error: error.message };
    throw error;
  }
  return { tree: exprToJson(expr), formatted: prettyExpr(expr) };
}

/** With the keys of all objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
