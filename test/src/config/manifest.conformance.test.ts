import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../model/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { conformanceFile } from '../support/conformance.ts';

type Entry = {
  readonly file: string;
  readonly kind: string;
  readonly verdict: 'good' | 'bad';
  readonly check: string;
  readonly why: string;
  readonly mention: readonly string[] | null;
  readonly agent?: boolean;
};

const manifest = conformanceFile('config/manifest.json');
const entries =
  manifest === null
    ? []
    : (JSON.parse(readFileSync(manifest, 'utf8')) as Entry[]).filter(
        // What only the checking command finds (missing files, lint) loads without complaint.
        ({ kind, check }) => kind === 'config' && check === 'load',
      );

describe.skipIf(manifest === null)('a configuration file', () => {
  test('of the collection is looked at', () => expect(entries.length).toBeGreaterThan(140));

  test.each(entries)('$file is $verdict ($why)', ({ file, verdict, mention, agent }) => {
    const load = () => loadConfig(path.join(path.dirname(manifest!), file), { isAgent: agent });
    if (verdict === 'good') {
      expect(load()).toHaveProperty('jobs');
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
    for (const word of mention ?? []) expect(message.toLowerCase()).toContain(word.toLowerCase());
    expect(line).toBeGreaterThan(0);
    expect(column).toBeGreaterThan(0);
  });
});
