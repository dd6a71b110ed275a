/**
 * XOR2 chunks: like XOR (xor.ts), but from sample 2 on one prefix says what became of both time and
 * value, staleness markers are a prefix of their own, and samples may have start timestamps.
 *
 *   ┌─────────────────┬───────────────────┬───────────────┬────────────┬───────────────────┐
 *   │ #samples u16 BE │ start header u8   │ time 0 varint │ value 0 f64│ start 0           │
 *   ├─────────────────┴───┬───────────────┴──┬────────────┴──────┬─────┴───────────────────┘
 *   │ time 1 delta uvarint│ change 1         │ start 1           │
 *   ├─────────────────────┼──────────────────┼───────────────────┤
 *   │ prefix and dod      │ change           │ start             │   samples 2 …
 *   └─────────────────────┴──────────────────┴───────────────────┘
 *
 *   prefix  0                     same delta, same value
 *           10                    same delta, then:   0 + bits in the last window
 *                                                     1 + leading (5) + width (6) + bits
 *           110   + 13 bits dod   -4096 … 4095        then a change
 *           1110  + 20 bits dod   -524288 … 524287    then a change
 *           11110 + 64 bits dod                       then a change
 *           11111                 same delta, staleness marker
 *   change  0 same value · 10 + bits in the last window · 110 + leading (5) + width (6) + bits ·
 *           111 staleness marker
 *
 * "The value before" is the last one that was not a staleness marker, or 0 when all were. Where the starts are: start-times.ts. A width of 0 is 64.
 * Page: docs/format/chunks.md. Source: Prometheus "Chunks Disk Format", XOR2.
 */
export const XOR2_HEADER_SIZE_BYTES = 3;
/** Header, time, value, start. */
export const XOR2_FIRST_SAMPLE_SIZE_BYTES_MAX = XOR2_HEADER_SIZE_BYTES + 10 + 8 + 11;
/** Five bits and 64 of dod, 78 of value, 72 of start, and the byte it begins in. */
export const XOR2_SAMPLE_SIZE_BYTES_MAX = 29;
