/** A chunk that goes out of memory and comes back goes on as if nothing had been. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SampleBuffer } from '../../../model/index.ts';
import { decodeXor } from '../../../tsdb/chunk/xor-decoder.ts';
import {
  COPY_SIZE_BYTES_MAX,
  copyOpenChunk,
  OpenChunks,
  XOR_CHUNK_SIZE_BYTES_MAX,
} from '../../../tsdb/head/open-chunk.ts';
import { restoreXorChunk } from '../../../tsdb/head/restore-open-chunk.ts';
import * as Rec from '../../../tsdb/head/series-record.ts';
import { Allocator } from '../../../tsdb/memory/allocator.ts';
import { FIRST_BLOCK_ADDRESS, initControlBlock } from '../../../tsdb/memory/control-block.ts';
import { Heap } from '../../../tsdb/memory/heap.ts';
import { Retired } from '../../../tsdb/memory/retired.ts';
import { valueBits } from '../support/arbitraries.ts';

const START_MS = 1_761_955_200_000;

function newChunks() {
  const heap = Heap.create(1024 * 1024);
  initControlBlock(heap);
  const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
  const open = new OpenChunks(heap, allocator, new Retired(heap, allocator));
  const record = allocator.allocateZeroed(Rec.RECORD_SIZE_BYTES);
  heap.f64[(record >>> 3) + Rec.MAX_TIME] = -Infinity;
  return { heap, open, record };
}
type Chunks = ReturnType<typeof newChunks>;

function copyOf({ heap, record }: Chunks): Uint8Array {
  const { u32 } = heap;
  const word = record >>> 2;
  const target = new Uint32Array(Math.ceil(COPY_SIZE_BYTES_MAX / 4));
  const state = u32[word + Rec.STATE]!;
  const [first, tail] = [u32[word + Rec.OPEN_CHUNK]!, u32[word + Rec.TAIL]!];
  const [free, count] = [Rec.freeBitsOf(state), Rec.countOf(state)];
  const size = copyOpenChunk(heap, first, tail, free, count, target, 0);
  return new Uint8Array(target.buffer).slice(0, size);
}

const deltaMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(15_000, 15_000, 15_001, 14_999) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
  // Where the next wider form begins, seen from 15 s.
  {
    weight: 2,
    arbitrary: fc.constantFrom(23_192, 23_193, 6809, 6808, 80_536, 80_537, 539_288, 539_289),
  },
  { weight: 1, arbitrary: fc.constantFrom(1, 127, 128, 2 ** 31, 2 ** 40) },
);
const samples = fc.array(fc.record({ deltaMs, bits: valueBits, repeats: fc.nat(6) }), {
  minLength: 1,
  maxLength: 60,
});

type Row = { readonly atMs: number; readonly high: number; readonly low: number };

function rowsOf(
  list: readonly { deltaMs: number; bits: readonly [number, number]; repeats: number }[],
): Row[] {
  const rows: Row[] = [];
  let atMs = START_MS;
  for (const {
    deltaMs: step,
    bits: [high, low],
    repeats,
  } of list) {
    for (let i = 0; i <= repeats; i++) rows.push({ atMs: (atMs += step), high, low });
  }
  return rows;
}

function append({ open, record }: Chunks, { atMs, high, low }: Row, isFirst: boolean): void {
  if (isFirst) open.begin(record, atMs, low, high);
  else open.append(record, atMs, low, high);
}

test('at any place', () => {
  fc.assert(
    fc.property(
      samples,
      fc.nat(),
      fc.integer({ min: -(2 ** 45), max: 0 }),
      (list, where, shift) => {
        const straight = newChunks();
        const broken = newChunks();
        const rows = rowsOf(list).map((row) => ({
          ...row,
          atMs: row.atMs + (where % 3 === 0 ? shift * 2 : 0),
        }));
        const cut = 1 + (where % rows.length);
        for (const [i, row] of rows.entries()) {
          if (i === cut) {
            const out = new SampleBuffer();
            const bytes = copyOf(straight);
            decodeXor(bytes, 0, bytes.length, -Infinity, Infinity, out, {
              file: '',
              offsetBytes: 0,
            });
            // Larger ones are finished chunks.
            if (bytes.length > XOR_CHUNK_SIZE_BYTES_MAX) return;
            const padded = new Uint8Array([7, ...bytes, 255, 255, 255, 255]);
            const { heap, open, record } = broken;
            expect(restoreXorChunk(heap, open, record, padded, 1, 1 + bytes.length, out)).toBe(
              true,
            );
            expect(copyOf(broken)).toEqual(bytes);
          }
          if (straight.open.sizeBytes(straight.record) > XOR_CHUNK_SIZE_BYTES_MAX && i > 0) break;
          append(straight, row, i === 0);
          if (i >= cut) append(broken, row, false);
        }
        if (cut >= rows.length || broken.heap.u32[(broken.record >>> 2) + Rec.STATE] === 0) return;
        expect(copyOf(broken)).toEqual(copyOf(straight));
        const wordsOf = ({ heap, record }: Chunks) =>
          [Rec.STATE, Rec.WINDOW, Rec.OPEN_SIZE, Rec.VALUE_LOW, Rec.VALUE_HIGH].map(
            (offset) => heap.u32[(record >>> 2) + offset],
          );
        expect(wordsOf(broken)).toEqual(wordsOf(straight));
        const timesOf = ({ heap, record }: Chunks) =>
          [Rec.MAX_TIME, Rec.OPEN_MIN_TIME, Rec.LAST_DELTA].map(
            (offset) => heap.f64[(record >>> 3) + offset],
          );
        expect(timesOf(broken)).toEqual(timesOf(straight));
      },
    ),
    { numRuns: 1500 },
  );
});

test('but not bits that are not ours', () => {
  const { heap, open, record } = newChunks();
  const samples_ = new SampleBuffer();
  samples_.count = 2;
  samples_.timestampsMs.set([START_MS, START_MS + 15_000]);
  samples_.values.set([1, 2]);
  expect(restoreXorChunk(heap, open, record, new Uint8Array(40), 0, 40, samples_)).toBe(false);
  samples_.timestampsMs.set([START_MS, START_MS]);
  expect(restoreXorChunk(heap, open, record, new Uint8Array(20), 0, 20, samples_)).toBe(false);
  expect(heap.u32[(record >>> 2) + Rec.OPEN_CHUNK]).toBe(0);
});
