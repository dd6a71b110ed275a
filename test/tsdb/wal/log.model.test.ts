/** The log against the simplest idea of one: a list of records, some of which a crash may take. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptionError } from '../../../model/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { WAL_COMPRESSIONS, type WalCompression } from '../../../tsdb/wal/compression.ts';
import { PAGE_SIZE_BYTES } from '../../../tsdb/wal/fragment.ts';
import { repairLog } from '../../../tsdb/wal/repair.ts';
import { findSegments, listSegments } from '../../../tsdb/wal/segment-name.ts';
import { TailReader } from '../../../tsdb/wal/tail-reader.ts';
import { WalReader } from '../../../tsdb/wal/wal-reader.ts';
import { WalWriter } from '../../../tsdb/wal/wal-writer.ts';

const DIRECTORY = '/data/wal';

// Sizes cluster around the page size, because that is where records split.
const sizeBytes = fc.oneof(fc.nat(64), fc.integer({ min: 32_740, max: 32_790 }), fc.nat(100_000));
const compression = fc.constantFrom(...WAL_COMPRESSIONS);

/** Records that differ from each other; half of them cannot be compressed. */
function makeRecord(size: number, serial: number): Uint8Array {
  const record = new Uint8Array(size + 4);
  new DataView(record.buffer).setUint32(0, serial);
  let noise = serial * 2654435761 + 1;
  if (serial % 2 !== 0) return record;
  for (let i = 4; i < record.length; i++) {
    noise = Math.imul(noise, 1103515245) + 12345;
    record[i] = noise >>> 16;
  }
  return record;
}

function serialOf(record: Uint8Array): number {
  return new DataView(record.buffer).getUint32(record.byteOffset);
}

function readAll(files: MemoryFiles): { records: Uint8Array[]; reader: WalReader; error: unknown } {
  const reader = WalReader.forSegments(files, DIRECTORY, listSegments(files, DIRECTORY));
  const records: Uint8Array[] = [];
  try {
    while (reader.next())
      records.push(Uint8Array.from(reader.bytes.subarray(reader.start, reader.end)));
    return { records, reader, error: null };
  } catch (error) {
    return { records, reader, error };
  }
}

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ log: fc.array(sizeBytes, { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ cut: true as const }) },
  { weight: 1, arbitrary: fc.constant({ sync: true as const }) },
  { weight: 1, arbitrary: fc.constant({ reopen: true as const }) },
  { weight: 2, arbitrary: fc.record({ failWithFreeBytes: fc.nat(50_000), log: sizeBytes }) },
  { weight: 1, arbitrary: fc.record({ crash: fc.array(fc.double({ min: 0, max: 0.999 })) }) },
);

describe('the write-ahead log', () => {
  test('gives back what was written, and after a crash at least what was synced', () => {
    fc.assert(
      fc.property(compression, fc.array(action, { maxLength: 25 }), (kind, actions) => {
        let files = new MemoryFiles();
        files.makeDirectory('/data');
        files.syncDirectory('/');
        const open = () =>
          new WalWriter(files, DIRECTORY, {
            compression: kind,
            segmentSizeBytes: 4 * PAGE_SIZE_BYTES,
          });
        let writer = open();
        let model: Uint8Array[] = [];
        let syncedCount = 0;
        let serial = 0;
        for (const step of actions) {
          if ('failWithFreeBytes' in step) {
            const record = makeRecord(step.log, serial++);
            files.freeBytes = step.failWithFreeBytes;
            try {
              writer.log(record);
              model.push(record);
            } catch (error) {
              expect(error).toMatchObject({ code: 'ENOSPC' });
            }
            files.freeBytes = Number.POSITIVE_INFINITY;
          } else if ('log' in step) {
            const records = step.log.map((size) => makeRecord(size, serial++));
            const before = files.writeCount;
            const segment = writer.segmentIndex;
            writer.logMany(records);
            // One call for the commit, one more to complete a segment when it was full.
            const callCount = files.writeCount - before;
            expect(callCount).toBeLessThanOrEqual(writer.segmentIndex === segment ? 1 : 2);
            model.push(...records);
          } else if ('cut' in step) {
            const segment = writer.segmentIndex;
            expect(writer.cutSegment()).toBe(segment + 1);
          } else if ('sync' in step) {
            writer.sync();
            syncedCount = model.length;
          } else if ('reopen' in step) {
            writer.close();
            syncedCount = model.length;
            writer = open();
          } else {
            let next = 0;
            const random = () => step.crash[next++ % Math.max(1, step.crash.length)] ?? 0.4;
            files = files.crash('random', random);
            files.makeDirectory(DIRECTORY);
            const { reader, error } = readAll(files);
            if (error !== null) {
              expect(error).toBeInstanceOf(CorruptionError);
              repairLog(files, DIRECTORY, reader.segmentIndex, reader.recordOffsetBytes);
            }
            const survivors = readAll(files);
            expect(survivors.error).toBeNull();
            expect(survivors.records.slice(0, syncedCount)).toEqual(model.slice(0, syncedCount));
            // Without a sync a power loss may even take a write and leave the one behind it; where the
            // hole ends with its page it looks like padding. Nothing may come back that never was.
            const serials = survivors.records.map(serialOf);
            expect(serials).toEqual([...serials].sort((a, b) => a - b));
            const written = new Map(model.map((record) => [serialOf(record), record]));
            for (const record of survivors.records) {
              expect(record).toEqual(written.get(serialOf(record)));
            }
            model = survivors.records;
            syncedCount = 0; // what survived is on disk, but the model need not rely on it
            writer = open();
          }
        }
        const { records, error } = readAll(files);
        expect(error).toBeNull();
        expect(records).toEqual(model);
      }),
      { numRuns: 60 },
    );
  });

  test('is followed record by record while it is written', () => {
    fc.assert(
      fc.property(
        compression,
        fc.array(fc.record({ size: sizeBytes, cut: fc.boolean(), read: fc.nat(3) }), {
          maxLength: 20,
        }),
        (kind, steps) => {
          const files = new MemoryFiles();
          const options = { compression: kind, segmentSizeBytes: 4 * PAGE_SIZE_BYTES };
          const writer = new WalWriter(files, DIRECTORY, options);
          let tail = new TailReader(files, DIRECTORY, { segmentIndex: 0, offsetBytes: 0 });
          const written: Uint8Array[] = [];
          const followed: Uint8Array[] = [];
          const follow = (countMax: number) => {
            for (let i = 0; i < countMax && tail.next(); i++) {
              followed.push(Uint8Array.from(tail.bytes.subarray(tail.start, tail.end)));
            }
          };
          steps.forEach(({ size, cut, read }, serial) => {
            const record = makeRecord(size, serial);
            writer.log(record);
            written.push(record);
            if (cut) writer.cutSegment();
            follow(read);
            // Somebody else goes on where this one was.
            if (read === 2) tail = new TailReader(files, DIRECTORY, tail.position);
          });
          follow(Number.POSITIVE_INFINITY);
          expect(followed).toEqual(written);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('finds every flipped bit, or it does not matter', () => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY, { compression: 'snappy' });
    const records = [9, 0, 200, 33_000].map(makeRecord);
    const flagOffsets = new Set<number>();
    for (const record of records) {
      flagOffsets.add(writer.segmentOffsetBytes);
      writer.log(record);
    }
    const intact = files.readAll(`${DIRECTORY}/00000000`);
    fc.assert(
      fc.property(fc.nat(intact.length - 1), fc.nat(7), (byte, bit) => {
        const spoiled = intact.slice();
        spoiled[byte]! ^= 1 << bit;
        files.put(`${DIRECTORY}/00000000`, spoiled);
        const read = readAll(files);
        // The format does not protect the three bits that say how a record is compressed.
        const isCompressionBit = flagOffsets.has(byte) && bit >= 3 && bit <= 5;
        if (read.error === null && isCompressionBit) return;
        expect(read.error).toBeInstanceOf(CorruptionError);
        // Everything before the spoiled record is still there.
        expect(read.records).toEqual(records.slice(0, read.records.length));
        expect(read.reader.recordOffsetBytes).toBeLessThanOrEqual(byte);
      }),
      { numRuns: 300 },
    );
  });

  test('cut off anywhere keeps the whole records before', () => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY, { compression: 'none' });
    const records = [9, 0, 200, 40_000, 5].map(makeRecord);
    const ends = records.map((record) => {
      writer.log(record);
      return writer.segmentOffsetBytes;
    });
    const intact = files.readAll(`${DIRECTORY}/00000000`);
    fc.assert(
      fc.property(fc.nat(intact.length), (size) => {
        files.put(`${DIRECTORY}/00000000`, intact.slice(0, size));
        const read = readAll(files);
        const wholeCount = ends.filter((end) => end <= size).length;
        expect(read.records).toEqual(records.slice(0, wholeCount));
        expect(read.error === null).toBe(size === 0 || ends.includes(size));
      }),
      { numRuns: 300 },
    );
  });

  test('is repaired by cutting off what lies behind the first bad record', () => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY, { compression: 'none' });
    const records = [90, 80, 40_000, 70].map(makeRecord);
    writer.log(records[0]!);
    const spoiledAt = writer.segmentOffsetBytes;
    writer.logMany(records.slice(1));
    writer.cutSegment();
    writer.log(makeRecord(5, 9));
    writer.close();
    const path = `${DIRECTORY}/00000000`;
    const intact = files.readAll(path);
    files.put(path, intact.with(spoiledAt + 20, intact[spoiledAt + 20]! ^ 1));

    const broken = readAll(files);
    expect(broken.error).toBeInstanceOf(CorruptionError);
    expect(broken.reader.segmentIndex).toBe(0);
    expect(broken.reader.recordOffsetBytes).toBe(spoiledAt);
    expect(repairLog(files, DIRECTORY, 0, spoiledAt)).toEqual({
      segmentIndex: 0,
      offsetBytes: spoiledAt,
      lostSizeBytes: intact.length - spoiledAt + PAGE_SIZE_BYTES,
      removedSegmentCount: 1,
    });
    // Only whole pages before the segment that is written next.
    expect(files.readAll(path)).toHaveLength(PAGE_SIZE_BYTES);
    const next = new WalWriter(files, DIRECTORY, { compression: 'none' });
    next.log(records[3]!);
    const repaired = readAll(files);
    expect(repaired.error).toBeNull();
    expect(repaired.records).toEqual([records[0], records[3]]);
  });

  test('refuses a directory in which a segment is missing', () => {
    const files = new MemoryFiles();
    for (const name of ['00000003', '00000005'])
      files.put(`${DIRECTORY}/${name}`, new Uint8Array());
    expect(() => listSegments(files, DIRECTORY)).toThrow(
      'segments are not sequential (/data/wal/00000004 @ byte 0)',
    );
    expect(findSegments(files, DIRECTORY)).toEqual([3, 5]);
  });

  test.each<WalCompression>(['snappy', 'zstd', 'lz4'])('%s makes a log of zeros small', (kind) => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY, { compression: kind });
    writer.log(new Uint8Array(20_000));
    expect(writer.segmentOffsetBytes).toBeLessThan(1100);
    const [record] = readAll(files).records;
    expect(Buffer.compare(record!, new Uint8Array(20_000))).toBe(0);
  });
});
