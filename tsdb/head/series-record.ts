/**
 * What the head knows about one series: 128 bytes of shared memory, written by the writer only.
 *
 *   byte  0  sequence      odd while the record changes (head/isolation.ts)
 *         4  ref           as in WAL records
 *         8  hash          of the labels
 *        12  labels        address of: count u32, then that many label pairs (label-pairs.ts)
 *        16  max time      f64, newest sample in order; -Infinity while there is none
 *        24  open min time f64, first sample of the open chunk
 *        32  last delta    f64, between the newest two samples of the open chunk
 *        40  last value    low half, high half of the newest float's bits
 *        48  open chunk    address of its first segment (open-chunk.ts), or of an encoded chunk
 *                          (encoded-chunk.ts); 0 when there is none
 *        52  tail          address of the word that the next bit goes to
 *        56  count         u16, samples in the open chunk
 *        58  free bits     u8, unwritten bits in the tail word, 1…32
 *        59  encoding      u8, of the open chunk (chunk/encoding.ts)
 *        60  leading       u8, zero bits of the value window; 255 when there is none yet
 *        61  trailing      u8
 *        62  flags         u16, below
 *        64  next cut      f64, a sample at or after this time begins a new chunk
 *        72  sealed        address of the list of finished chunks (sealed-chunks.ts), 0 for none
 *        76  out of order  address of its out-of-order state (out-of-order.ts), 0 for none
 *        80  mark commit   id of the newest commit with samples of this series
 *        84  mark older    address of an older mark that an open query needs, 0 for none
 *        88  mark time     f64, max time before that commit
 *        96  pending owner number of the appender that staged the newest uncommitted sample
 *       100  pending index where in its columns
 *       104  deleted       address of a list of deleted time ranges (deleted-ranges.ts), 0 for none
 *       108  metadata      address of type, unit and help (metadata-table.ts), 0 for unknown
 *       112  exemplar      slot + 1 of its newest exemplar in the ring, 0 for none
 *       116  open size     bytes of the open chunk before its newest segment
 *       120  reserved
 */

export const RECORD_SIZE_BYTES = 128;

/** Word offsets, to be added to `record >>> 2` when indexing u32. */
export const SEQUENCE = 0;
export const REF = 1;
export const HASH = 2;
export const LABELS = 3;
export const VALUE_LOW = 10;
export const VALUE_HIGH = 11;
export const OPEN_CHUNK = 12;
export const TAIL = 13;
/** count · free bits · encoding, low to high. */
export const STATE = 14;
/** leading · trailing · flags, low to high. */
export const WINDOW = 15;
export const SEALED = 18;
export const OUT_OF_ORDER = 19;
export const MARK_COMMIT = 20;
export const MARK_OLDER = 21;
export const PENDING_OWNER = 24;
export const PENDING_INDEX = 25;
export const DELETED = 26;
export const METADATA = 27;
export const OPEN_SIZE = 29;

/** Offsets in f64, to be added to `record >>> 3`. */
export const MAX_TIME = 2;
export const OPEN_MIN_TIME = 3;
export const LAST_DELTA = 4;
export const NEXT_CUT = 8;
export const MARK_TIME = 11;

/** Bits of the flags, in place in the WINDOW word. */
export const FLAG_STALE = 1 << 16;
/** The newest sample is a float and VALUE_LOW, VALUE_HIGH are its bits. */
export const FLAG_VALUE_KNOWN = 1 << 17;
/** The open chunk is an encoded chunk (histograms, start timestamps), not a chain of segments. */
export const FLAG_ENCODED = 1 << 18;
/** The newest sample is a histogram. */
export const FLAG_HISTOGRAM = 1 << 19;
/** The end of the open chunk of histograms has been estimated. */
export const FLAG_ESTIMATED = 1 << 20;
export const FLAGS_MASK = 0xffff_0000;

export function countOf(state: number): number {
  return state & 0xffff;
}
export function freeBitsOf(state: number): number {
  return (state >>> 16) & 0xff;
}
