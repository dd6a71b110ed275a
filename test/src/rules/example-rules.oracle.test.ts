/** The rules of the sample shop fire when they should; promtool says so. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadRuleFile } from '../../../src/rules/index.ts';
import { PROMTOOLS } from '../../support/installed.ts';

const RULES = path.resolve(import.meta.dirname, '../../../examples/rules.yml');

const TEST = `
rule_files: [${RULES}]
evaluation_interval: 15s
tests:
- interval: 15s
  input_series:
  - {series: 'flask_http_request_total{job="shop",endpoint="/a",status="200"}', values: "0+90x40"}
  - {series: 'flask_http_request_total{job="shop",endpoint="/a",status="500"}', values: "0+10x40"}
  - {series: 'flask_http_request_total{job="shop",endpoint="/b",status="200"}', values: "0+98x40"}
  - {series: 'flask_http_request_total{job="shop",endpoint="/b",status="500"}', values: "0+2x40"}
  - {series: 'flask_http_request_duration_seconds_bucket{job="shop",endpoint="/a",le="1"}', values: "0+90x40"}
  - {series: 'flask_http_request_duration_seconds_bucket{job="shop",endpoint="/a",le="2"}', values: "0+100x40"}
  - {series: 'flask_http_request_duration_seconds_bucket{job="shop",endpoint="/a",le="+Inf"}', values: "0+100x40"}
  - {series: 'ecommerce_estoque_produto{job="shop",produto_nome="Mouse"}', values: "5x20 4x20"}
  - {series: 'up{job="shop",instance="x:1"}', values: "1x20 0x20"}
  alert_rule_test:
  - {eval_time: 1m, alertname: HighErrorRate, exp_alerts: []}
  - eval_time: 5m
    alertname: HighErrorRate
    exp_alerts:
    - exp_labels: {severity: critical, team: shop, job: shop, endpoint: /a}
      exp_annotations:
        summary: 10% of the requests to /a fail
        description: More than 5 % of the requests to /a of shop have ended with a server error for a minute.
        runbook_url: docs/guide/runbooks.md#high-error-rate
  - eval_time: 5m
    alertname: SlowRequests
    exp_alerts:
    - exp_labels: {severity: warning, team: shop, job: shop, endpoint: /a}
      exp_annotations:
        summary: One in twenty requests to /a takes 1.5s or longer
        runbook_url: docs/guide/runbooks.md#slow-requests
  - {eval_time: 5m, alertname: LowStock, exp_alerts: []}
  - eval_time: 5m30s
    alertname: LowStock
    exp_alerts:
    - exp_labels: {severity: warning, team: shop, job: shop, produto_nome: Mouse}
      exp_annotations:
        summary: Only 4 of "Mouse" left
        runbook_url: docs/guide/runbooks.md#low-stock
  - {eval_time: 5m30s, alertname: TargetDown, exp_alerts: []}
  - eval_time: 6m30s
    alertname: TargetDown
    exp_alerts:
    - exp_labels: {severity: critical, job: shop, instance: "x:1"}
      exp_annotations:
        summary: x:1 of shop does not answer
        runbook_url: docs/guide/runbooks.md#target-down
`;

describe('examples/rules.yml', () => {
  test('loads', () => {
    const names = loadRuleFile(RULES).flatMap(({ rules }) => rules.map(({ name }) => name));
    expect(names).toEqual([
      'shop:requests:rate1m',
      'shop:errors:ratio1m',
      'shop:latency:p95_1m',
      'HighErrorRate',
      'SlowRequests',
      'LowStock',
      'TargetDown',
    ]);
  });

  test.skipIf(PROMTOOLS.length === 0).each(PROMTOOLS)('fires as %s says', (promtool) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'narthex-example-'));
    try {
      const file = path.join(folder, 'test.yml');
      writeFileSync(file, TEST);
      const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', file], {
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).toContain('SUCCESS');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
