import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Labels, Matcher, SampleBuffer } from '../../../model/index.ts';
import { openReader } from '../../../tsdb/db-reader.ts';
import { SEQUENCE } from '../../../tsdb/head/series-record.ts';
import { findRecord } from '../../../tsdb/head/series-table.ts';
import { openDb } from '../../../tsdb/index.ts';
import type { Files } from '../../../tsdb/io/files.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { oneSample } from '../support/one-sample.ts';

const SAMPLE_COUNT = 300;
const START_MS = 1_700_000_000_000;

/** Files of which opening some fails as often as `onOpen` throws. */
function filesThat(onOpen: (file: string) => void): Files {
  return new Proxy(NODE_FILES, {
    get: (files, name) =>
      name === 'open'
        ? (...args: Parameters<Files['open']>) => {
            onOpen(args[0]);
            return files.open(...args);
          }
        : (Reflect.get(files, name) as (...args: unknown[]) => unknown).bind(files),
  });
}

describe('a series that changes while a query copies it', () => {
  let directory = '';
  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'narthex-changing-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  /** A database with chunks in a file, and how many samples a query finds in it. */
  async function count(onOpen: (file: string, noteChange: () => void) => void): Promise<number> {
    const db = openDb({ directory, clock: REAL_CLOCK, retentionMs: 0 });
    try {
      const appender = db.appender();
      const ref = appender.series(Labels.fromObject({ __name__: 'm' }));
      const outcomes = new Uint8Array(1);
      for (let i = 0; i < SAMPLE_COUNT; i++) {
        appender.appendSamples(oneSample(ref, START_MS + i * 1000, i), outcomes);
      }
      appender.commit();
      await db.tick();
      const noteChange = () => {
        const { heap } = reader.head;
        // What a change adds from its beginning to its end.
        Atomics.add(heap.u32, (findRecord(heap, ref) >>> 2) + SEQUENCE, 2);
      };
      const files = filesThat((file) => onOpen(file, noteChange));
      const reader = openReader(db.shared, { files });
      const querier = reader.querier(-Infinity, Infinity);
      try {
        const hints = { minMs: -Infinity, maxMs: Infinity };
        const rows = querier.select([new Matcher('__name__', '=', 'm')], hints);
        const out = new SampleBuffer();
        rows.read(0, -Infinity, Infinity, out);
        return out.count;
      } finally {
        querier.close();
        reader.close();
      }
    } finally {
      await db.close();
    }
  }

  test('is copied again, whatever came of the first attempt', async () => {
    let failureCount = 0;
    const found = await count((file, noteChange) => {
      if (!file.includes('chunks_head') || failureCount === 3) return;
      failureCount++;
      noteChange();
      throw new Error('there is no such file');
    });
    expect(found).toBe(SAMPLE_COUNT);
    expect(failureCount).toBe(3);
  });

  test('but what fails without a change is told', async () => {
    const asked = count((file) => {
      if (file.includes('chunks_head')) throw new Error('the disk is gone');
    });
    await expect(asked).rejects.toThrow('the disk is gone');
  });
});
