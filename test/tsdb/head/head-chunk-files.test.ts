import { describe, expect, test } from 'vitest';
import { CorruptionError } from '../../../model/index.ts';
import { Encoding, OUT_OF_ORDER_MASK } from '../../../tsdb/chunk/encoding.ts';
import {
  emptyHeadChunkFile,
  type HeadChunkEntry,
  HeadChunkNumbers,
  HeadChunkReader,
  HeadChunkWriter,
  headChunkPath,
  listHeadChunkFiles,
  scanHeadChunks,
} from '../../../tsdb/head/head-chunk-files.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { fixturePaths } from '../support/conformance.ts';

const DIRECTORY = '/data/chunks_head';

function scan(bytes: Uint8Array): HeadChunkEntry[] {
  const entries: HeadChunkEntry[] = [];
  scanHeadChunks(bytes, 'chunks_head/000001', (entry) => entries.push(entry));
  return entries;
}

/** Three chunks, the last of them out of order. */
function written(): MemoryFiles {
  const files = new MemoryFiles();
  const writer = new HeadChunkWriter(files, DIRECTORY, new HeadChunkNumbers(0));
  const bytes = Uint8Array.of(0, 2, 1, 2, 3, 4, 5);
  writer.add(1, 1000, 2000, Encoding.Xor, bytes, 0, bytes.length);
  writer.add(70_000, -5, 1_700_000_000_000, Encoding.Histogram, bytes, 0, 5);
  writer.add(2, 7, 7, Encoding.Xor | OUT_OF_ORDER_MASK, bytes, 2, 7);
  writer.close();
  return files;
}

describe('a head chunk file', () => {
  test('has the bytes that the format asks for', () => {
    const files = new MemoryFiles();
    const writer = new HeadChunkWriter(files, DIRECTORY, new HeadChunkNumbers(4));
    const bytes = Uint8Array.of(9, 0, 1, 0xaa);
    const place = writer.add(5, 1000, 2000, Encoding.Xor, bytes, 1, 4);
    writer.close();
    expect(place).toEqual({ file: 5, offset: 8 });
    expect(listHeadChunkFiles(files, DIRECTORY)).toEqual([5]);
    const content = Buffer.from(files.readAll(headChunkPath(DIRECTORY, 5))).toString('hex');
    expect(content).toBe(
      ['0130bc91', '01', '000000'].join('') +
        ['0000000000000005', '00000000000003e8', '00000000000007d0', '01', '03', '0001aa'].join(
          '',
        ) +
        '5d7d79cf',
    );
  });

  test('gives back what was written, one write per flush', () => {
    const files = written();
    const entries = scan(files.readAll(headChunkPath(DIRECTORY, 1)));
    expect(
      entries.map(({ ref, minMs, maxMs, encoding, isOutOfOrder }) => [
        ref,
        minMs,
        maxMs,
        encoding,
        isOutOfOrder,
      ]),
    ).toEqual([
      [1, 1000, 2000, Encoding.Xor, false],
      [70_000, -5, 1_700_000_000_000, Encoding.Histogram, false],
      [2, 7, 7, Encoding.Xor, true],
    ]);
    const reader = new HeadChunkReader(files, DIRECTORY, new WindowCache());
    const out = { bytes: new Uint8Array(0), start: 0, end: 0, encoding: Encoding.None as Encoding };
    reader.read(1, entries[1]!.offset, out);
    expect([...out.bytes.subarray(out.start, out.end)]).toEqual([0, 2, 1, 2, 3]);
    expect(out.encoding).toBe(Encoding.Histogram);
    reader.close();
    expect(files.writeCount).toBe(2); // header and chunks
  });

  test('may end in zeros, as Prometheus leaves it, or hold nothing', () => {
    const bytes = written().readAll(headChunkPath(DIRECTORY, 1));
    const padded = new Uint8Array(bytes.length + 1000);
    padded.set(bytes);
    expect(scan(padded)).toEqual(scan(bytes));
    expect(scan(emptyHeadChunkFile())).toEqual([]);
  });

  test('with any bit flipped is refused, saying where, and what came before is good', () => {
    const bytes = written().readAll(headChunkPath(DIRECTORY, 1));
    const entries = scan(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const spoiled = bytes.slice();
      spoiled[bit >>> 3]! ^= 1 << (bit & 7);
      if (bit >>> 3 >= 5 && bit >>> 3 < 8) continue; // padding
      const found: HeadChunkEntry[] = [];
      let error: unknown;
      try {
        scanHeadChunks(spoiled, 'x', (entry) => found.push(entry));
      } catch (caught) {
        error = caught;
      }
      const good = entries.filter((entry) => entry.offset <= bit >>> 3).length - 1;
      expect(found, `bit ${bit}`).toEqual(entries.slice(0, Math.max(0, good)));
      expect(error, `bit ${bit}`).toBeInstanceOf(CorruptionError);
    }
  });

  test('cut off anywhere but between chunks is refused', () => {
    const bytes = written().readAll(headChunkPath(DIRECTORY, 1));
    const entries = scan(bytes);
    for (let size = 9; size < bytes.length; size++) {
      const begun = entries.findLast((entry) => entry.offset < size)!;
      const cut = bytes.subarray(0, size);
      // Zeros at the end are what Prometheus fills files up with, so nothing shows there.
      const isFilled = cut.subarray(begun.offset).every((byte) => byte === 0);
      const isWhole = entries.some((entry) => entry.offset === size);
      if (isFilled || isWhole) {
        const whole = entries.filter(
          (entry) => entry.offset < size && (isWhole || entry !== begun),
        );
        expect(scan(cut), `${size} bytes`).toEqual(whole);
      } else {
        expect(() => scan(cut), `${size} bytes`).toThrow(CorruptionError);
      }
    }
  });

  test('is read at its end while it grows', () => {
    const files = new MemoryFiles();
    const writer = new HeadChunkWriter(files, DIRECTORY, new HeadChunkNumbers(0));
    const reader = new HeadChunkReader(files, DIRECTORY, new WindowCache());
    const out = { bytes: new Uint8Array(0), start: 0, end: 0, encoding: Encoding.None as Encoding };
    for (let n = 0; n < 300; n++) {
      const bytes = new Uint8Array(1 + (n % 1500)).fill(n);
      const { file, offset } = writer.add(1, n, n, Encoding.Xor, bytes, 0, bytes.length);
      writer.flush();
      reader.read(file, offset, out);
      expect(Buffer.from(out.bytes.subarray(out.start, out.end))).toEqual(Buffer.from(bytes));
    }
    reader.close();
    writer.close();
  });

  const fixtures = [
    ...fixturePaths('tsdb-fixture', 'data/chunks_head/*'),
    ...fixturePaths('fixture-3.14', '*/data/chunks_head/*'),
  ];
  test.skipIf(fixtures.length === 0)('of real servers can be read', () => {
    let chunkCount = 0;
    let lateCount = 0;
    for (const path of fixtures) {
      scanHeadChunks(NODE_FILES.readAll(path), path, ({ isOutOfOrder }) => {
        chunkCount++;
        if (isOutOfOrder) lateCount++;
      });
    }
    // The descriptions of the directories say 423 + 265 + 90 + 9 and 88 + 34 + 43 + 1 for 3.14.
    expect(chunkCount).toBe(787 + 166 + 235);
    expect(lateCount).toBe(9 + 1 + 4);
  });
});
