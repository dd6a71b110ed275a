/** The JSON Schema for editors: as it is in the documentation, and what it makes of real files. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../../src/config/index.ts';
import { conformanceFile } from '../support/conformance.ts';

const SCHEMA_FILE = path.resolve(import.meta.dirname, '../../../docs/prometheus.schema.json');
const validate = new Ajv2020({ allowUnionTypes: true, strict: true, inlineRefs: false }).compile(
  configSchema(),
);

test('is the one in the documentation; vitest -u writes it', async () => {
  await expect(`${JSON.stringify(configSchema())}\n`).toMatchFileSnapshot(SCHEMA_FILE);
});

type Entry = { readonly file: string; readonly kind: string; readonly verdict: string };
const manifest = conformanceFile('config/manifest.json');
const good =
  manifest === null
    ? []
    : (JSON.parse(readFileSync(manifest, 'utf8')) as Entry[]).filter(
        ({ kind, verdict }) => kind === 'config' && verdict === 'good',
      );

describe.skipIf(manifest === null)('a good file', () => {
  test.each(good)('$file fits', ({ file }) => {
    const text = readFileSync(path.join(path.dirname(manifest!), file), 'utf8');
    const isFit = validate(parse(text, { merge: true }) ?? {});
    expect(validate.errors ?? []).toEqual([]);
    expect(isFit).toBe(true);
  });
});

test.each([
  ['globl: {}', '/', 'must NOT have additional properties'],
  [
    'scrape_configs: [ { job_nam: a } ]',
    '/scrape_configs/0',
    'must NOT have additional properties',
  ],
  [
    'global: { scrape_interval: fast }',
    '/global/scrape_interval',
    'must match pattern "^(?:0|(?:\\d+(?:y|w|d|h|ms|m|s))+)$"',
  ],
  [
    'scrape_configs: [ { honor_labels: 5 } ]',
    '/scrape_configs/0/honor_labels',
    'must be boolean,null',
  ],
  ['scrape_configs: { a: b }', '/scrape_configs', 'must be array,null'],
])('%s does not fit', (text, where, message) => {
  expect(validate(parse(text))).toBe(false);
  const [error] = validate.errors!;
  expect([error!.instancePath || '/', error!.message]).toEqual([where, message]);
});
