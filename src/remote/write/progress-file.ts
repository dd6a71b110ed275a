/**
 * How far a queue of remote write has come, so that after a restart, an orderly one or not, it goes
 * on exactly there. One file per queue in `<data>/remote-write`:
 *
 *   byte  0        4          8                                32 + 64 · i
 *         ┌────────┬──────────┬──────────────┬─────────────────┬───────────────────────────────
 *         │ "NXRW" │ checksum │ #shards u32  │ zeros           │ shard i: handled, then sending
 *         └────────┴──────────┴──────────────┴─────────────────┴───────────────────────────────
 *
 *   each   ┌─────────────┬────────────┬───────────┬──────────────┬───────┐
 *   32 B   │ segment u32 │ offset u32 │ index u32 │ checksum u32 │ zeros │     all big-endian
 *          └─────────────┴────────────┴───────────┴──────────────┴───────┘
 *
 * A sample belongs to shard `ref mod #shards`. Up to `handled` a shard's samples have been taken by
 * the receiver, or refused for good. Up to `sending` they were on their way: whether they arrived is
 * not known, so exactly these are sent together again. A receiver that has them already refuses or
 * ignores the whole request and loses nothing by it.
 *
 * Checksums are CRC-32C of what follows the magic number, or precedes the checksum. Writes are not
 * synced: the log is not either. What is torn counts as not written.
 */
import { assert, crc32c } from '../../../model/index.ts';
import { compareKeys, type LogKey } from './log-key.ts';

const MAGIC = 0x4e585257;
const HEADER_SIZE_BYTES = 32;
const SLOT_SIZE_BYTES = 32;
const SHARD_SIZE_BYTES = 2 * SLOT_SIZE_BYTES;
const SLOT_CHECKED_BYTES = 12;

export type ShardProgress = { readonly handled: LogKey; readonly sending: LogKey };

/** The file for shards that all stand at `key`. */
export function encodeProgress(shardCount: number, key: LogKey): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE_BYTES + shardCount * SHARD_SIZE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(8, shardCount);
  view.setUint32(4, crc32c(bytes, 8, HEADER_SIZE_BYTES));
  const slot = encodeSlot(key);
  for (let at = HEADER_SIZE_BYTES; at < bytes.length; at += SLOT_SIZE_BYTES) bytes.set(slot, at);
  return bytes;
}

export function encodeSlot({ segment, offset, index }: LogKey): Uint8Array {
  const bytes = new Uint8Array(SLOT_SIZE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, segment);
  view.setUint32(4, offset);
  view.setUint32(8, index);
  view.setUint32(12, crc32c(bytes, 0, SLOT_CHECKED_BYTES));
  return bytes;
}

export function slotOffsetBytes(shard: number, what: keyof ShardProgress): number {
  const inShard = what === 'handled' ? 0 : SLOT_SIZE_BYTES;
  return HEADER_SIZE_BYTES + shard * SHARD_SIZE_BYTES + inShard;
}

/** Null when the file is of no use. */
export function decodeProgress(bytes: Uint8Array): ShardProgress[] | null {
  if (bytes.length < HEADER_SIZE_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return null;
  if (view.getUint32(4) !== crc32c(bytes, 8, HEADER_SIZE_BYTES)) return null;
  const count = view.getUint32(8);
  if (count === 0 || bytes.length < HEADER_SIZE_BYTES + count * SHARD_SIZE_BYTES) return null;
  const shards: ShardProgress[] = [];
  for (let shard = 0; shard < count; shard++) {
    const handled = slotAt(bytes, view, slotOffsetBytes(shard, 'handled'));
    const sending = slotAt(bytes, view, slotOffsetBytes(shard, 'sending'));
    if (handled === null) return null;
    const isAhead = sending !== null && compareKeys(sending, handled) > 0;
    shards.push({ handled, sending: isAhead ? sending : handled });
  }
  assert(shards.length === count, 'a shard each');
  return shards;
}

function slotAt(bytes: Uint8Array, view: DataView, at: number): LogKey | null {
  if (view.getUint32(at + 12) !== crc32c(bytes, at, at + SLOT_CHECKED_BYTES)) return null;
  return {
    segment: view.getUint32(at),
    offset: view.getUint32(at + 4),
    index: view.getUint32(at + 8),
  };
}
