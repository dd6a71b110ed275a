/** Queries with verdicts of Prometheus 3.14: those that parse, and the texts of those that do not. */
import { describe, expect, test } from 'vitest';
import { ALL_FEATURES } from '../../../promql/parser/options.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';
import { prettyExpr } from '../../../promql/parser/pretty.ts';
import { printExpr } from '../../../promql/parser/print.ts';
import { exprToJson } from '../../../promql/parser/to-json.ts';
import { isMissing, readJsonLines, scriptLines } from './support/conformance.ts';
import { shapeOf } from './support/shape.ts';

const EVAL = /^eval\w*\s+(?:instant at \S+|range from \S+ to \S+ step \S+)\s+(.*)$/;
const PREFIX = 'invalid parameter "query": ';

type Answer = { status: string; data?: unknown; errorType?: string; error?: string };

describe.skipIf(isMissing('promqltest'))('queries of the promqltest scripts', () => {
  test('parse, and print to something that parses to the same', () => {
    let count = 0;
    const failures: string[] = [];
    for (const { line, place } of scriptLines()) {
      const query = EVAL.exec(line)?.[1];
      if (query === undefined) continue;
      count++;
      try {
        const expr = parseExpr(query, ALL_FEATURES);
        expect(shapeOf(parseExpr(printExpr(expr), ALL_FEATURES))).toEqual(shapeOf(expr));
      } catch (error) {
        failures.push(`${place}: ${query}: ${(error as Error).message}`);
      }
    }
    console.info(`${count} queries, ${failures.length} failed`);
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(1000);
  });
});

describe.skipIf(isMissing('recorded-3.14'))('recorded queries', () => {
  test('parse where they did, and fail with the same text and position', () => {
    type Line = { params: { query: string }; answer: Answer };
    const counts = { parsed: 0, refused: 0 };
    const differences: string[] = [];
    for (const { params, answer } of readJsonLines<Line>('recorded-3.14', 'queries.jsonl.gz')) {
      const isRefused = answer.errorType === 'bad_data' && answer.error!.includes('parse error');
      const expected = isRefused ? answer.error! : 'parsed';
      let actual = 'parsed';
      try {
        parseExpr(params.query, ALL_FEATURES);
      } catch (error) {
        actual = PREFIX + (error as Error).message;
      }
      counts[isRefused ? 'refused' : 'parsed']++;
      if (actual !== expected) differences.push(`${params.query}\n  ${expected}\n  ${actual}`);
    }
    console.info(`${counts.parsed} parse, ${counts.refused} are refused`);
    expect(differences).toEqual([]);
    expect(counts.refused).toBeGreaterThan(100);
  });

  test('are formatted and drawn as trees in the same way', () => {
    type Line = { path: string; params: [string, string][]; json: Answer };
    let count = 0;
    for (const { path, params, json } of readJsonLines<Line>('recorded-3.14', 'api.jsonl.gz')) {
      const write = WRITERS[path];
      const query = params.find(([name]) => name === 'query')?.[1];
      if (write === undefined || query === undefined) continue;
      count++;
      let actual: unknown;
      try {
        actual = JSON.parse(JSON.stringify(write(query)));
      } catch (error) {
        actual = PREFIX + (error as Error).message;
      }
      expect(actual, query).toEqual(json.data ?? json.error);
    }
    console.info(`${count} answers`);
    expect(count).toBeGreaterThan(50);
  });
});

const WRITERS: Readonly<Record<string, (query: string) => unknown>> = {
  '/api/v1/format_query': (query) => prettyExpr(parseExpr(query, ALL_FEATURES)),
  '/api/v1/parse_query': (query) => exprToJson(parseExpr(query, ALL_FEATURES)),
};
