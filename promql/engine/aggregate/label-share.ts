import type { Labels } from '../../../model/index.ts';

/**
 * A number in [0, 1) that belongs to a label set and spreads evenly: what limit_ratio chooses by.
 * Two FNV-1a hashes over UTF-16 units, stirred; 53 bits of them.
 */
export function labelShare(labels: Labels): number {
  let high = 0x811c9dc5;
  let low = 0x1b873593;
  for (const text of labels.flat) {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      high = Math.imul(high ^ unit, 0x01000193);
      low = Math.imul(low ^ (unit + i), 0x85ebca6b);
    }
    // An end mark, so that {ab="c"} and {a="bc"} differ.
    high = Math.imul(high ^ 0x1_0001, 0x01000193);
    low = Math.imul(low ^ 0x1_0001, 0x85ebca6b);
  }
  high = stirred(high ^ low);
  low = stirred(low ^ Math.imul(high, 0x9e3779b1));
  return (high * 0x20_0000 + (low >>> 11)) / 2 ** 53;
}

/** Unsigned; every input bit reaches every output bit. */
function stirred(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
