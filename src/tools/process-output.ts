/**
 * The channels of the process, written at once: a command ends by `process.exit`, which drops what a
 * stream still holds.
 */
import { writeSync } from 'node:fs';
import type { Outputs } from './command-line.ts';

const OUT_DESCRIPTOR = 1;
const ERR_DESCRIPTOR = 2;
const RETRY_MS = 1;

export const PROCESS_OUTPUT: Outputs = {
  out: (text) => writeAll(OUT_DESCRIPTOR, text),
  err: (text) => writeAll(ERR_DESCRIPTOR, text),
};

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Who reads wants no more, `head` for instance.
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
