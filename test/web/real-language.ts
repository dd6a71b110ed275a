/**
 * Ports that know the real language and no data: every query is parsed, and a number evaluates to
 * itself. Enough to compare answers that say something about the request alone.
 */
import { typeOf, type ValueType } from '../../promql/ast.ts';
import { parseExpr, parseSelector } from '../../promql/parser/parse.ts';
import { prettyExpr } from '../../promql/parser/pretty.ts';
import { exprToJson } from '../../promql/parser/to-json.ts';
import { requireSelective, writeTextsAnswer } from '../../web/answers/index.ts';
import { ApiError, type RangeQuery, type SelectionRequest } from '../../web/index.ts';
import { answer, fakeHouse } from './fake-house.ts';

export function houseWithLanguage() {
  const nothing = async (request: SelectionRequest) => {
    requireSelective(request.selectors.map(parseSelector));
    return writeTextsAnswer([]);
  };
  return fakeHouse({
    query: {
      async instant({ query, timeMs }) {
        const expr = parseExpr(query);
        const value = expr.kind === 'NumberLiteral' ? String(expr.value) : '0';
        return answer({ resultType: 'scalar', result: [timeMs / 1000, value] });
      },
      async range(request) {
        const type = typeOf(parseExpr(request.query));
        if (type !== 'scalar' && type !== 'vector') throw wrongType(type);
        const result = request.query === '1' ? [{ metric: {}, values: pointsOf(request) }] : [];
        return answer({ resultType: 'matrix', result });
      },
      async exemplars({ query }) {
        return parseExpr(query).kind === 'NumberLiteral' ? null : answer([]);
      },
    },
    language: {
      format: async (query) => prettyExpr(parseExpr(query)),
      parse: async (query) => Buffer.from(JSON.stringify(exprToJson(parseExpr(query)))),
      selectors: async (texts) =>
        texts.map((text) =>
          parseSelector(text).map(({ name, operator, value }) => ({ name, operator, value })),
        ),
    },
    labels: { names: nothing, values: nothing },
    series: { series: nothing },
    federation: {
      async federate({ selectors }) {
        for (const selector of selectors) parseSelector(selector);
        return new Uint8Array(0);
      },
    },
    metadata: { metrics: async () => [] },
    targets: { metadata: async () => [] },
  });
}

function pointsOf({ startMs, endMs, stepMs }: RangeQuery): (readonly [number, string])[] {
  const points: (readonly [number, string])[] = [];
  for (let ms = startMs; ms <= endMs; ms += stepMs) points.push([ms / 1000, '1']);
  return points;
}

function wrongType(type: ValueType): ApiError {
  const name = { matrix: 'range vector', string: 'string', scalar: 'scalar', vector: 'vector' }[
    type
  ];
  const what = `invalid expression type "${name}" for range query`;
  return new ApiError('bad_data', `${what}, must be Scalar or instant Vector`);
}
