/** Single lz4 blocks, by the `lz4` package: its addon where that could be built, else its JavaScript. */
import { createRequire } from 'node:module';

/** What the package offers for blocks; it brings no types. */
export type Lz4Blocks = {
  compressBound(sizeBytes: number): number;
  /** How many bytes were written; 0 when the input cannot be made smaller. */
  compress(input: Buffer, output: Buffer): number;
  /** How many bytes were written; negative when the input is malformed. */
  uncompress(input: Buffer, output: Buffer): number;
};

let loaded: Lz4Blocks | undefined;

/** Loaded on first use, which few servers come to. */
export function lz4Blocks(): Lz4Blocks {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  try {
    loaded = require('lz4/build/Release/lz4.node') as Lz4Blocks;
  } catch {
    loaded = require('lz4/lib/binding.js') as Lz4Blocks;
  }
  return loaded;
}
