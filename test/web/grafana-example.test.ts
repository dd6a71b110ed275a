/** The dashboard that we ship asks for things that the sample app and the server really have. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Expr } from '../../promql/ast.ts';
import { childrenOf } from '../../promql/ast.ts';
import { parseExpr } from '../../promql/parser/parse.ts';

const root = path.resolve(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
type Panel = {
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
};
const { panels, templating } = JSON.parse(read('examples/grafana/dashboards/shop.json')) as {
  panels: readonly Panel[];
  templating: { list: readonly { name: string }[] };
};
const targets = panels.flatMap(({ title, targets: list = [] }) =>
  list.map(({ expr }) => ({ title, expr })),
);

/** What the server itself writes for every target, or says about itself. */
const FROM_SERVER = new Set([
  'up',
  'scrape_duration_seconds',
  'scrape_samples_post_metric_relabeling',
  'prometheus_tsdb_head_samples_appended_total',
]);

function metricsOf(expr: Expr): string[] {
  const own =
    expr.kind === 'VectorSelector'
      ? expr.matchers.filter(({ name }) => name === '__name__').map(({ value }) => value)
      : [];
  return [...own, ...childrenOf(expr).flatMap(metricsOf)];
}

describe('the dashboard of the sample app', () => {
  const app = globSync('examples/app/*.ts', { cwd: root }).map(read).join('\n');
  const variables = new Set(templating.list.map(({ name }) => name));

  test.each(targets)('$title: $expr', ({ expr }) => {
    for (const [, name] of expr.matchAll(/\$(\w+)/g)) {
      expect(name === '__rate_interval' || variables.has(name!)).toBe(true);
    }
    const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', '.*');
    for (const metric of metricsOf(parseExpr(query))) {
      if (FROM_SERVER.has(metric)) continue;
      expect(app).toContain(`'${metric.replace(/_(bucket|sum|count)$/, '')}'`);
    }
  });

  test('has no panels on top of one another', () => {
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});

test('the data source is a Prometheus', () => {
  const source = parse(read('examples/grafana/provisioning/datasources/narthex.yml')) as {
    datasources: readonly Record<string, unknown>[];
  };
  expect(source.datasources[0]).toMatchObject({ type: 'prometheus', uid: 'narthex' });
});
