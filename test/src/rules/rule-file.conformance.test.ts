import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../model/index.ts';
import { ALL_FEATURES } from '../../../promql/index.ts';
import { loadRuleFile } from '../../../src/rules/index.ts';
import { conformanceFile } from '../support/conformance.ts';

type Entry = {
  readonly file: string;
  readonly kind: string;
  readonly verdict: 'good' | 'bad';
  readonly why?: string;
  readonly mention?: readonly string[];
  readonly features?: readonly string[];
  readonly validation?: 'legacy';
};

const manifest = conformanceFile('config/manifest.json');
const community = conformanceFile('community-rules');
const entries =
  manifest === null
    ? []
    : (JSON.parse(readFileSync(manifest, 'utf8')) as Entry[]).filter(
        ({ kind }) => kind === 'rules',
      );

describe.skipIf(manifest === null)('a rule file', () => {
  test('of the collection is looked at', () => expect(entries.length).toBeGreaterThan(20));

  test.each(entries)('$file is $verdict ($why)', (entry) => {
    const load = () =>
      loadRuleFile(path.join(path.dirname(manifest!), entry.file), {
        nameScheme: entry.validation ?? 'utf8',
        language: entry.features === undefined ? {} : ALL_FEATURES,
      });
    if (entry.verdict === 'good') {
      expect(load().length).toBeGreaterThan(0);
      return;
    }
    let error: unknown;
    try {
      load();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    const { message, line, column } = error as ConfigError;
    for (const word of entry.mention ?? []) {
      expect(message.toLowerCase()).toContain(word.toLowerCase());
    }
    expect(line).toBeGreaterThan(0);
    expect(column).toBeGreaterThan(0);
  });
});

describe.skipIf(community === null)('a rule file of the community', () => {
  test.each(community === null ? [] : readdirSync(community))('%s loads', (file) => {
    const groups = loadRuleFile(path.join(community!, file));
    expect(groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(0);
  });
});
