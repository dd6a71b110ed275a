/**
 * Rule files as people share them: every rule of them loads and evaluates, and the same expressions
 * find series when there are some of the kind that they ask for.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  AppendOutcome,
  Labels,
  METRIC_NAME,
  MINUTE_MS,
  Registry,
  SILENT_LOGGER,
  SimulatedClock,
} from '../../../model/index.ts';
import { createEngine, loadScripts, parseExpr, walk } from '../../../promql/index.ts';
import { type GroupDefinition, loadRuleFile, RuleManager } from '../../../src/rules/index.ts';
import { RuleMetrics } from '../../../src/rules/rule-metrics.ts';
import { vectorColumns } from '../../../src/threads/rule-answers.ts';
import { conformanceFile } from '../support/conformance.ts';

const { MemoryStorage } = await loadScripts();
const folder = conformanceFile('community-rules');
const START_MS = 1_800_000_000_000;
const HISTORY_MINUTES = 70;

/** One series for each selector, with what it asks to be equal. */
function storageFor(groups: readonly GroupDefinition[]) {
  const storage = new MemoryStorage();
  const sets = new Map<string, Labels>();
  for (const { query } of groups.flatMap(({ rules }) => rules)) {
    walk(parseExpr(query), (part) => {
      if (part.kind !== 'VectorSelector') return;
      const equal = part.matchers.filter(({ operator }) => operator === '=');
      const set = Labels.fromPairs([
        ['instance', 'host:1'],
        ['job', 'any'],
        ...equal.map(({ name, value }): [string, string] => [name, value]),
      ]);
      if (set.has(METRIC_NAME)) sets.set(set.key, set);
    });
  }
  for (const set of sets.values()) {
    for (let step = 0; step <= (HISTORY_MINUTES + 5) * 4; step++) {
      const atMs = START_MS - HISTORY_MINUTES * MINUTE_MS + step * 15_000;
      // Every other minute 0: some rules wait for that.
      storage.append(set, atMs, Math.floor(step / 4) % 2 === 0 ? 0 : step);
    }
  }
  return storage;
}

describe.skipIf(folder === null)('a rule file of the community', () => {
  test.each(folder === null ? [] : readdirSync(folder))('%s evaluates', async (file) => {
    const groups = loadRuleFile(path.join(folder!, file));
    const storage = storageFor(groups);
    const engine = createEngine();
    const clock = new SimulatedClock(START_MS);
    let foundCount = 0;
    const manager = new RuleManager({
      clock,
      logger: SILENT_LOGGER,
      metrics: new RuleMetrics(new Registry()),
      queries: {
        vector: async (query, timeMs) => {
          const { value } = vectorColumns(engine.instant({ query, timeMs, queryable: storage }));
          foundCount += value.labels.length;
          return { ...value, labels: value.labels.map((flat) => Labels.fromSorted(flat)) };
        },
        latest: async () => ({
          labels: [],
          timestampsMs: new Float64Array(),
          values: new Float64Array(),
        }),
      },
      sink: {
        append: async ({ labels }) => new Uint8Array(labels.length).fill(AppendOutcome.Ok),
      },
      template: { externalLabels: () => ({}), externalUrl: 'http://host', pathPrefix: '' },
      send: () => {},
      onTransitions: () => {},
      outageToleranceMs: 0,
      gracePeriodMs: 0,
      resendDelayMs: MINUTE_MS,
      concurrency: null,
    });
    await manager.apply(groups, { intervalMs: MINUTE_MS, queryOffsetMs: 0 });
    await clock.advance(3 * MINUTE_MS);
    const rules = (await manager.groups()).flatMap((group) => group.rules);
    const stopped = manager.stop();
    await clock.advance(0);
    await stopped;
    const bad = rules.filter(({ health }) => health !== 'ok');
    expect(bad.map(({ name, lastError }) => `${name}: ${lastError}`)).toEqual([]);
    expect(rules.length).toBeGreaterThan(0);
    expect(foundCount).toBeGreaterThan(0);
    const texts = rules.flatMap((rule) =>
      rule.type === 'alerting'
        ? rule.alerts.map(({ annotations }) => JSON.stringify(annotations))
        : [],
    );
    expect(texts.filter((text) => text.includes('error expanding template'))).toEqual([]);
  });
});
