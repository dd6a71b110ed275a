import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assert } from '../../model/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { databaseChanges, databaseOptions } from '../../src/database-options.ts';
import { chooseFeatures } from '../../src/flags/feature-names.ts';
import { parseCommandLine } from '../../src/flags.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'narthex-options-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function changes(floats: string, features: readonly string[]) {
  const file = path.join(folder, 'prometheus.yml');
  const section = `storage: {tsdb: {chunk_encoding: {floats: ${floats}}}}\n`;
  writeFileSync(file, floats === '' ? '' : section);
  const line = parseCommandLine([]);
  assert(line.action === 'run', 'without words the server is run');
  return databaseChanges(loadConfig(file), line.values, chooseFeatures(features).names);
}

describe('the encoding of floats', () => {
  test.each([
    ['', [], 'xor'],
    ['xor', [], 'xor'],
    ['', ['xor2-encoding'], 'xor2'],
    ['xor', ['xor2-encoding'], 'xor'],
    ['xor2', ['xor2-encoding'], 'xor2'],
  ] as const)('with %j in the configuration and %j is %s', (floats, features, encoding) => {
    expect(changes(floats, features).floatEncoding).toBe(encoding);
  });

  test('must be switched on', () => {
    expect(() => changes('xor2', [])).toThrow(
      "'storage.tsdb.chunk_encoding.floats: xor2' requires the xor2-encoding feature flag to be enabled at startup",
    );
  });

  test('must be able to hold start timestamps when they are stored', () => {
    expect(() => changes('xor', ['st-storage'])).toThrow(
      'XOR chunks do not store start timestamps, use "xor2"',
    );
  });
});

// As 3.14 merges them.
test.each([
  ['', 36],
  ['{time: 5d}', 12],
  ['{time: 12h}', 2],
  ['{size: 1GB}', 31 * 24],
])('with %j as retention no block is longer than %i hours', (retention, hours) => {
  const file = path.join(folder, 'prometheus.yml');
  const section = retention === '' ? '' : `storage: {tsdb: {retention: ${retention}}}\n`;
  writeFileSync(file, section);
  const line = parseCommandLine([]);
  assert(line.action === 'run', 'without words the server is run');
  const { names } = chooseFeatures([]);
  const { maxBlockMs } = databaseOptions(loadConfig(file), line.values, names, folder);
  expect(maxBlockMs).toBe(hours * 3_600_000);
});
