import { expect, test } from 'vitest';
import { MINUTE_MS, Registry, SILENT_LOGGER, SimulatedClock } from '../../../model/index.ts';
import { SilentRules } from '../../../src/silent-rules.ts';
import type { RuleCheck, SelectorCheck } from '../../../web/index.ts';

const GOOD: SelectorCheck = { selector: 'up', seriesCount: 3, problem: null };
const BAD: SelectorCheck = {
  selector: 'upp',
  seriesCount: 0,
  problem: { kind: 'metric', text: 'no', nearestMetric: 'up', matcher: null, otherValues: [] },
};
const rule = (group: string, selectors: readonly SelectorCheck[]): RuleCheck => ({
  group,
  file: 'f',
  name: 'a',
  type: 'alerting',
  query: 'up',
  selectors,
});

test('every group says how many of its selectors find nothing, while it is there', async () => {
  const clock = new SimulatedClock();
  const registry = new Registry();
  let answer: readonly RuleCheck[] | Error = [
    rule('one', [GOOD, BAD]),
    rule('one', [BAD]),
    rule('two', [GOOD]),
  ];
  const checkRules = async () => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const silent = new SilentRules({
    clock,
    logger: SILENT_LOGGER,
    registry,
    insight: { checkRules },
  });
  const shown = () => {
    const samples = registry.snapshot().find(({ name }) => name.endsWith('selectors'))?.samples;
    return Object.fromEntries(
      (samples ?? []).map(({ labels, value }) => [JSON.stringify(labels), value]),
    );
  };
  silent.start();
  await clock.advance(MINUTE_MS);
  expect(shown()).toEqual({});
  await clock.advance(MINUTE_MS);
  expect(Object.values(shown())).toEqual([2, 0]);
  answer = new Error('no worker');
  await clock.advance(10 * MINUTE_MS);
  expect(Object.values(shown())).toEqual([2, 0]);
  answer = [rule('two', [BAD])];
  await clock.advance(10 * MINUTE_MS);
  expect(Object.values(shown())).toEqual([1]);
  silent.stop();
});
