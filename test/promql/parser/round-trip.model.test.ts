import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_FEATURES } from '../../../promql/parser/options.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';
import { prettyExpr } from '../../../promql/parser/pretty.ts';
import { printExpr } from '../../../promql/parser/print.ts';
import { arbitraryExpr } from './support/arbitrary-expr.ts';
import { shapeOf } from './support/shape.ts';

const RUNS = { numRuns: 3000 };

test('what is printed parses to the same tree', () => {
  fc.assert(
    fc.property(arbitraryExpr, (expr) => {
      expect(shapeOf(parseExpr(printExpr(expr), ALL_FEATURES))).toEqual(shapeOf(expr));
    }),
    RUNS,
  );
});

test('what is formatted parses to the same tree', () => {
  fc.assert(
    fc.property(arbitraryExpr, (expr) => {
      expect(shapeOf(parseExpr(prettyExpr(expr), ALL_FEATURES))).toEqual(shapeOf(expr));
    }),
    RUNS,
  );
});
