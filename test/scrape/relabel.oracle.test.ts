/** Relabelling rules, applied by a real Prometheus and by us to the same labels: equal after each rule. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_RELABEL_CONFIG,
  Labels,
  Relabeler,
  type RelabelConfig,
} from '../../model/index.ts';
import { JUDGE_BINARY, JudgeServer } from './support/judge-server.ts';

const POOL_COUNT = 60;
const LABEL_SETS_PER_POOL = 6;

const name = fc.constantFrom('a', 'b', 'ab', '__meta_x', 'job', 'instance', 'é', 'x.y');
const text = fc.constantFrom('', 'a', 'b', 'foo', 'foo-bar', 'Äß', '10.0.0.1:80', 'a;b', 'a\nb');
const regex = fc.constantFrom(
  '(.*)',
  '.*',
  '(.+)',
  'a|b',
  '(a)|(b)',
  '(foo)-(?P<name>.*)',
  '[^:]+:(\\d+)',
  'a.b',
  '',
  '(?i)FOO',
  '__meta_(.+)',
  '.',
  '(.)(.)?',
  '\\w+',
);
const replacement = fc.constantFrom(
  '$1',
  '${1}',
  '$2$1',
  'x',
  '',
  '$$1',
  '${name}',
  'p_$1',
  '$1_',
  '$',
  '${',
  '$0',
  '$10',
);
const sources = fc.array(name, { maxLength: 3 });
const common = { sourceLabels: sources, separator: fc.constantFrom(';', '', '-') };
const rule: fc.Arbitrary<Partial<RelabelConfig>> = fc.oneof(
  fc.record({
    ...common,
    action: fc.constant('replace' as const),
    regex,
    targetLabel: fc.constantFrom('a', 'new', '$1', 'p_${1}', 'x.y'),
    replacement,
  }),
  fc.record({ ...common, action: fc.constantFrom('keep' as const, 'drop' as const), regex }),
  fc.record({
    sourceLabels: sources,
    action: fc.constantFrom('keepequal' as const, 'dropequal' as const),
    targetLabel: name,
  }),
  fc.record({
    ...common,
    action: fc.constant('hashmod' as const),
    modulus: fc.constantFrom(1, 7, 1000, 2 ** 40),
    targetLabel: name,
  }),
  fc.record({
    action: fc.constant('labelmap' as const),
    regex,
    replacement: replacement.filter((one) => one !== ''),
  }),
  fc.record({ action: fc.constantFrom('labeldrop' as const, 'labelkeep' as const), regex }),
  fc.record({
    ...common,
    action: fc.constantFrom('lowercase' as const, 'uppercase' as const),
    targetLabel: name,
  }),
);
const pool = fc.record({
  rules: fc.array(rule, { minLength: 1, maxLength: 5 }),
  labelSets: fc.array(fc.dictionary(name, text, { maxKeys: 5 }), {
    minLength: LABEL_SETS_PER_POOL,
    maxLength: LABEL_SETS_PER_POOL,
  }),
});

describe.skipIf(JUDGE_BINARY === null)('beside a real Prometheus', () => {
  test('relabelling gives the same labels after each rule', async () => {
    const seed = Number(process.env.NARTHEX_SEED ?? 1);
    const pools = fc.sample(pool, { numRuns: POOL_COUNT, seed });
    const jobs = pools.map(({ rules }, index) => ({
      job_name: `pool-${index}`,
      relabel_configs: rules.map(asYaml),
      static_configs: [{ targets: ['127.0.0.1:1'] }],
    }));
    // JSON is YAML.
    const judge = await JudgeServer.start(JSON.stringify({ scrape_configs: jobs }));
    try {
      await judge.scrapePools(POOL_COUNT);
      for (const [index, { rules, labelSets }] of pools.entries()) {
        const relabeler = new Relabeler(
          rules.map((part) => ({ ...DEFAULT_RELABEL_CONFIG, ...part })),
        );
        for (const labels of labelSets) {
          const { steps } = await judge.ask<{ steps: { output: object; keep: boolean }[] }>(
            'targets/relabel_steps',
            { scrapePool: `pool-${index}`, labels: JSON.stringify(labels) },
          );
          const ours = relabeler.steps(Labels.fromObject(labels)).map(({ output, keep }) => ({
            output: output.toObject(),
            keep,
          }));
          const theirs = steps.map(({ output, keep }) => ({ output, keep }));
          expect({ rules, labels, steps: ours }).toEqual({ rules, labels, steps: theirs });
        }
      }
    } finally {
      judge.stop();
    }
  });
});

function asYaml(part: Partial<RelabelConfig>): Record<string, unknown> {
  const { sourceLabels, targetLabel, ...rest } = part;
  return {
    ...rest,
    ...(sourceLabels !== undefined && sourceLabels.length > 0
      ? { source_labels: sourceLabels }
      : {}),
    ...(targetLabel === undefined ? {} : { target_label: targetLabel }),
  };
}
