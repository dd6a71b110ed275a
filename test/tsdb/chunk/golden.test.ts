/** Whole chunks as Prometheus 3.14 wrote them, and what they say. */
import { describe, expect, test } from 'vitest';
import { SampleBuffer } from '../../../model/index.ts';
import { decodeChunk } from '../../../tsdb/chunk/decoder.ts';
import { Encoding } from '../../../tsdb/chunk/encoding.ts';
import { HistogramChunkReader } from '../../../tsdb/chunk/histogram-decoder.ts';
import { Xor2Encoder } from '../../../tsdb/chunk/xor2-encoder.ts';
import { XorEncoder } from '../../../tsdb/chunk/xor-encoder.ts';

const PLACE = { file: 'golden', offsetBytes: 0 };
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

function decode(encoding: Encoding, hex: string): SampleBuffer {
  const chunk = bytesOf(hex);
  const out = new SampleBuffer();
  decodeChunk(encoding, chunk, 0, chunk.length, -Infinity, Infinity, out, PLACE);
  return out;
}

describe('golden chunks', () => {
  test('XOR: four samples half a minute apart', () => {
    const hex = '0004b0d1a5d2c7664079080000000000b0ea01dc2fdb46c526';
    const out = decode(Encoding.Xor, hex);
    const times = Array.from(out.timestampsMs.subarray(0, out.count));
    expect(times).toEqual([1761962407000, 1761962437000, 1761962467000, 1761962497000]);
    expect(Array.from(out.values.subarray(0, out.count))).toEqual([400.5, 430.5, 460.5, 490.5]);
    const encoder = new XorEncoder();
    times.forEach((timestampMs, i) => {
      encoder.append(timestampMs, out.valueHalves[i * 2 + 1]!, out.valueHalves[i * 2]!);
    });
    expect(Buffer.from(encoder.finish()).toString('hex')).toBe(hex);
  });

  test('XOR2: thirty equal samples take two bytes beyond the second', () => {
    const hex = '001e0080fbb7d7c7663ff0000000000000e0d40300000000';
    const out = decode(Encoding.Xor2, hex);
    expect(out.count).toBe(30);
    expect(out.timestampsMs[29]).toBe(1761969540000);
    expect(new Set(out.values.subarray(0, 30))).toEqual(new Set([1]));
    const encoder = new Xor2Encoder();
    for (let i = 0; i < 30; i++) encoder.append(1761967800000 + i * 60_000, 0x3ff00000, 0);
    expect(Buffer.from(encoder.finish()).toString('hex')).toBe(hex);
  });

  test('a histogram with start times: each starts where the one before ended', () => {
    const chunk = bytesOf(
      '800381ff255bba08cf8c979d946b67f0000cd1f0ecf8072a6280ca00000000000198e186d3b898cc0a907f8ea6000000',
    );
    const reader = new HistogramChunkReader(Encoding.HistogramSt, chunk, 0, chunk.length, PLACE);
    expect(reader.sampleCount).toBe(3);
    expect(reader.layout).toMatchObject({ schema: 2, zeroThreshold: 1e-128 });
    const starts: number[] = [];
    const times: number[] = [];
    while (reader.next()) {
      times.push(reader.timestampMs);
      starts.push(reader.startMs);
    }
    expect(times).toEqual([1761978720000, 1761978780000, 1761978840000]);
    expect(starts).toEqual([1761978660000, 1761978720000, 1761978780000]);
  });
});
