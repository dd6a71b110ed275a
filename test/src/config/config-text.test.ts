import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfigText } from '../../../src/config/config-text.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { loadReceivers } from '../../../src/notify/receivers/index.ts';
import { loadRuleFile, loadSoundGroups } from '../../../src/rules/index.ts';
import { readWebFile } from '../../../src/security/web-file.ts';
import { readObjectStoreConfig } from '../../../src/upload/objstore-config.ts';

let folder = '';
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'narthex-config-text-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(bytes: Uint8Array): string {
  const file = path.join(folder, 'f.yml');
  writeFileSync(file, bytes);
  return file;
}

const READERS: readonly (readonly [string, string, (file: string) => unknown])[] = [
  ['a configuration', 'global: {external_labels: {a: "x"}}', loadConfig],
  ['a rule file', 'groups: [{name: "x"}]', loadRuleFile],
  [
    'a receiver file',
    'receivers: [{webhook_configs: [{url: "http://a"}], name: "x"}]',
    loadReceivers,
  ],
  ['a web configuration', 'http_server_config: {http2: false} # x', readWebFile],
  [
    'a bucket',
    'type: S3\nconfig: {bucket: b, endpoint: localhost, access_key: "x", secret_key: s}',
    readObjectStoreConfig,
  ],
];

describe.each(READERS)('%s', (_name, text, read) => {
  test('may begin with a byte order mark', () => {
    const plain = read(write(Buffer.from(text)));
    const marked = read(write(Buffer.from(`\ufeff${text}`)));
    expect(JSON.stringify(marked)).toBe(JSON.stringify(plain));
  });

  test('is refused at the place where it is not UTF-8', () => {
    const bytes = Buffer.from(`# ä\n${text}`);
    bytes[bytes.lastIndexOf('x')] = 0xff;
    const before = bytes.subarray(0, bytes.indexOf(0xff)).toString().split('\n');
    const place = `${before.length}:${before.at(-1)!.length + 1}`;
    expect(() => read(write(bytes))).toThrow(`f.yml:${place}: yaml: invalid UTF-8`);
  });

  test('is missed by its name', () => {
    const file = path.join(folder, 'none.yml');
    expect(() => read(file)).toThrow(`open ${file}: no such file or directory`);
  });
});

test('a rule file that is not UTF-8 is quarantined as a whole', () => {
  const file = write(Buffer.concat([Buffer.from('groups: [{name: '), Buffer.of(0xff, 0x7d, 0x5d)]));
  const { groups, quarantined } = loadSoundGroups(file);
  expect(groups).toEqual([]);
  expect(quarantined).toMatchObject([{ group: '', error: expect.stringContaining('UTF-8') }]);
});

test('the sign for what cannot be shown is text like any other', () => {
  expect(readConfigText(write(Buffer.from('a: \ufffd')))).toBe('a: \ufffd');
});
