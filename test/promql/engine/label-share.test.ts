import { expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { labelShare } from '../../../promql/engine/aggregate/label-share.ts';
import { xxhash64Share } from '../../../promql/engine/aggregate/xxhash64.ts';

// Published check values of XXH64 with seed 0, and one that spans two stripes.
test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
])('the hash of %j is the published one', (text, expected) => {
  const bytes = new TextEncoder().encode(text);
  expect(xxhash64Share(bytes, bytes.length)).toBe(Number(expected) / 2 ** 64);
});

// Ratios at which Prometheus 3.14 begins to show the series, to the eleventh digit.
test.each([
  [{ __name__: 'demo_num_cpus', instance: 'demo.promlabs.com:10000', job: 'demo' }, 0.99288539152],
  [{ __name__: 'mix_temperature_celsius', instance: 'host-0:9100', job: 'api' }, 0.65964502406],
  [{ __name__: 'mix_temperature_celsius', instance: 'host-1:9100', job: 'api' }, 0.8831961231],
  [{ x: 'é'.repeat(150) }, 0.3077660869],
  [{ x: 'a'.repeat(255) }, 0.0955837128],
  [{ x: 'a'.repeat(70_000) }, 0.07317121635],
])('limit_ratio takes a series from the same ratio on', (labels: Record<string, string>, ratio) => {
  expect(labelShare(Labels.fromObject(labels))).toBeCloseTo(ratio, 10);
});
