import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBits } from '../../../model/index.ts';
import { XorEncoder } from '../../../tsdb/chunk/xor-encoder.ts';
import {
  COPY_SIZE_BYTES_MAX,
  copyFinishedChunk,
  copyOpenChunk,
  OpenChunks,
  XOR_CHUNK_SIZE_BYTES_MAX,
} from '../../../tsdb/head/open-chunk.ts';
import * as Rec from '../../../tsdb/head/series-record.ts';
import { Allocator } from '../../../tsdb/memory/allocator.ts';
import { FIRST_BLOCK_ADDRESS, initControlBlock } from '../../../tsdb/memory/control-block.ts';
import { Heap } from '../../../tsdb/memory/heap.ts';
import { Retired } from '../../../tsdb/memory/retired.ts';

function setUp() {
  const heap = Heap.create(1024 * 1024);
  initControlBlock(heap);
  const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
  const retired = new Retired(heap, allocator);
  const open = new OpenChunks(heap, allocator, retired);
  const record = allocator.allocateZeroed(Rec.RECORD_SIZE_BYTES);
  heap.f64[(record >>> 3) + Rec.MAX_TIME] = -Infinity;
  heap.f64[(record >>> 3) + Rec.NEXT_CUT] = Infinity;
  heap.u32[(record >>> 2) + Rec.WINDOW] = Rec.FLAG_VALUE_KNOWN;
  return { heap, allocator, retired, open, record };
}

const deltaMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(15_000, 15_001, 14_999) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 8192, 8193, 65_536, 524_288, 2 ** 31, 2 ** 40) },
);
const value = fc.oneof(
  fc.constantFrom(
    [0, 0],
    [0x7ff00000, 2],
    [0x7ff80000, 1],
    [0x3ff00000, 0],
    [0xffffffff, ~0 >>> 0],
  ),
  fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
  fc.double().map((d) => {
    const halves = new Uint32Array(Float64Array.of(d).buffer);
    return [halves[1]!, halves[0]!];
  }),
);
const sample = fc.record({ deltaMs, value, repeats: fc.nat(4), inRun: fc.boolean() });

function columnsOf(record: number, times: readonly number[], values: readonly number[][]) {
  return {
    records: new Uint32Array(times.length).fill(record),
    timestampsMs: Float64Array.from(times),
    valueHalves: Uint32Array.from(values.flatMap(([high, low]) => [low!, high!])),
  };
}

describe('open chunk', () => {
  test('takes usual samples in a run and stops at one that is not', () => {
    const { open, record } = setUp();
    open.begin(record, 0, 0, 0x40590000);
    open.append(record, 15_000, 0, 0x40590000);
    const values = [5, 5, 6.25, 1e300, NaN].map((v) => {
      const halves = new Uint32Array(Float64Array.of(v).buffer);
      return [halves[1]!, halves[0]!];
    });
    const times = [30_000, 45_001, 60_000, 74_000, 90_000];
    const usual = columnsOf(record, times, values);
    expect(open.appendRun(usual, 0, 5, -Infinity, 120)).toBe(5);

    const next = (timeMs: number, bits: readonly number[] = [0x40590000, 0]) =>
      columnsOf(record, [timeMs], [[...bits]]);
    const takes = (columns: ReturnType<typeof next>, notBeforeMs = -Infinity) =>
      open.appendRun(columns, 0, 1, notBeforeMs, 120) === 1;
    expect(takes(next(90_000)), 'not newer').toBe(false);
    expect(takes(next(105_000, [0x7ff00000, 2])), 'staleness').toBe(false);
    expect(takes(next(200_000)), 'a gap').toBe(false);
    expect(takes(next(105_000), 105_001), 'in a block already').toBe(false);
    expect(takes(next(105_000)), 'usual').toBe(true);
  });

  test('has the bits of the XOR encoder after every sample', () => {
    const start = fc.constantFrom(0, -1, 1_700_000_000_000, -(2 ** 46), 2 ** 46);
    fc.assert(
      fc.property(start, fc.array(sample, { maxLength: 60 }), (firstMs, samples) => {
        const { heap, allocator, retired, open, record } = setUp();
        const encoder = new XorEncoder();
        let timestampMs = firstMs;
        const words = new Uint32Array(COPY_SIZE_BYTES_MAX / 4 + 4);
        const copy = new Uint8Array(words.buffer, 12);
        const append = (high: number, low: number, inRun: boolean) => {
          const isFirst = encoder.count === 0;
          const one = columnsOf(record, [timestampMs], [[high, low]]);
          if (isFirst) open.begin(record, timestampMs, low, high);
          else if (!inRun || open.appendRun(one, 0, 1, -Infinity, 120) === 0) {
            open.append(record, timestampMs, low, high);
          }
          encoder.append(timestampMs, high, low);
          const { u32 } = heap;
          const state = u32[(record >>> 2) + Rec.STATE]!;
          const size = copyOpenChunk(
            heap,
            u32[(record >>> 2) + Rec.OPEN_CHUNK]!,
            u32[(record >>> 2) + Rec.TAIL]!,
            Rec.freeBitsOf(state),
            Rec.countOf(state),
            words,
            3,
          );
          expect(Buffer.from(copy.subarray(0, size))).toEqual(
            Buffer.from(encoder.bytes.subarray(0, encoder.sizeBytes)),
          );
          expect(open.sizeBytes(record)).toBe(encoder.sizeBytes);
        };
        append(0x40590000, 0, false);
        for (const s of samples) {
          for (let i = 0; i <= s.repeats; i++) {
            if (encoder.sizeBytes > XOR_CHUNK_SIZE_BYTES_MAX) break;
            timestampMs += s.deltaMs;
            append(s.value[0] >>> 0, s.value[1] >>> 0, s.inRun);
          }
        }
        const chain = open.finish(record);
        const size = copyFinishedChunk(heap, chain, words.fill(0), 3);
        expect(Buffer.from(copy.subarray(0, size))).toEqual(Buffer.from(encoder.finish()));
        open.retireChain(chain);
        retired.reclaim();
        expect(allocator.usedBytes).toBe(Rec.RECORD_SIZE_BYTES);
      }),
      { numRuns: 150 },
    );
  });

  test('keeps the newest value in the record, NaN payload included', () => {
    const { heap, open, record } = setUp();
    open.begin(record, 1000, 2, 0x7ff00000);
    expect(heap.u32[(record >>> 2) + Rec.VALUE_LOW]).toBe(2);
    expect(heap.u32[(record >>> 2) + Rec.VALUE_HIGH]).toBe(0x7ff00000);
    expect(fromBits(0x7ff00000, 2)).toBeNaN();
    expect(heap.f64[(record >>> 3) + Rec.MAX_TIME]).toBe(1000);
  });
});
