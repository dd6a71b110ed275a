/**
 * Sizes that blocks of shared memory come in: four steps to every doubling, so that at most a
 * fifth of a block is unused. Larger blocks than the largest class are whole extents.
 *
 *   16 24 32 40 48 56 64 · 80 96 112 128 · 160 192 224 256 · … · 40960 49152 57344 65536
 */
export const CLASS_SIZES: Uint32Array = buildClassSizes();
export const CLASS_SIZE_MAX = CLASS_SIZES[CLASS_SIZES.length - 1]!;
export const CLASS_COUNT = CLASS_SIZES.length;

const EIGHTS = 128;
/** Class by size, for small sizes, indexed by size / 8 rounded up. */
const smallClasses = new Uint8Array(EIGHTS + 1);
for (let eighth = 0, index = 0; eighth <= EIGHTS; eighth++) {
  while (CLASS_SIZES[index]! < eighth * 8) index++;
  smallClasses[eighth] = index;
}

function buildClassSizes(): Uint32Array {
  const sizes: number[] = [];
  for (let size = 16; size < 64; size += 8) sizes.push(size);
  for (let base = 64; base < 65_536; base *= 2) {
    for (let quarter = 0; quarter < 4; quarter++) sizes.push(base + (base / 4) * quarter);
  }
  sizes.push(65_536);
  return Uint32Array.from(sizes);
}

/** Index of the smallest class that holds `sizeBytes`, which is at most CLASS_SIZE_MAX. */
export function classOf(sizeBytes: number): number {
  if (sizeBytes <= EIGHTS * 8) return smallClasses[(sizeBytes + 7) >>> 3]!;
  let low = smallClasses[EIGHTS]!;
  let high = CLASS_COUNT - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (CLASS_SIZES[middle]! < sizeBytes) low = middle + 1;
    else high = middle;
  }
  return low;
}
