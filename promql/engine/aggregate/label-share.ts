/**
 * A number in [0, 1] that belongs to a label set and spreads evenly: what `limit_ratio` chooses by.
 * It is that of Prometheus 3.14, found by bisection of the ratio at which a series appears: XXH64 of
 *
 *   for each label  ┌────────┬──────┬────────┬───────┐   length   u8 below 255, else 255 and
 *   in order        │ length │ name │ length │ value │            u24 little-endian
 *                   └────────┴──────┴────────┴───────┘   texts    UTF-8
 */
import type { Labels } from '../../../model/index.ts';
import { xxhash64Share } from './xxhash64.ts';

const LONG = 255;
/** Of a length, and of a UTF-16 unit. */
const LENGTH_SIZE_BYTES_MAX = 4;
const UNIT_SIZE_BYTES_MAX = 3;

const encoder = new TextEncoder();
let buffer = new Uint8Array(1024);

export function labelShare({ flat }: Labels): number {
  let sizeBytesMax = 0;
  for (const text of flat)
    sizeBytesMax += text.length * UNIT_SIZE_BYTES_MAX + LENGTH_SIZE_BYTES_MAX;
  if (sizeBytesMax > buffer.length) buffer = new Uint8Array(sizeBytesMax * 2);
  let at = 0;
  for (const text of flat) at = putText(text, at);
  return xxhash64Share(buffer, at);
}

function putText(text: string, at: number): number {
  const { written } = encoder.encodeInto(text, buffer.subarray(at + LENGTH_SIZE_BYTES_MAX));
  const textStart = at + LENGTH_SIZE_BYTES_MAX;
  const textEnd = textStart + written;
  if (written < LONG) {
    buffer[at] = written;
    buffer.copyWithin(at + 1, textStart, textEnd);
    return at + 1 + written;
  }
  buffer[at] = LONG;
  buffer[at + 1] = written & 0xff;
  buffer[at + 2] = (written >>> 8) & 0xff;
  buffer[at + 3] = written >>> 16;
  return textEnd;
}
