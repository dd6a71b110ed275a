/**
 * Gives back the pages of the Node.js program that are not used any more. Starting touches most of its
 * code and constants, and the kernel counts what was touched once, and what lies around it, until the
 * end (measured: 51 of 145 MB with 100,000 series, of which 18 come back within seconds). What is
 * needed again is mapped again from the page cache.
 *
 * Node has no function for this, so `madvise` is called through `node:ffi`, which is experimental:
 * where it is missing, or refused by the permission model, nothing is given back.
 * Source: madvise(2), "MADV_DONTNEED"; proc_pid_smaps(5).
 */
import { readFileSync, realpathSync } from 'node:fs';

/** `MADV_DONTNEED`, the same on all architectures that Node runs on. */
const DONT_NEED = 4;
/** By then the first scrapes have been read; code is compiled for a while yet, so it comes again soon. */
const FIRST_AFTER_MS = 5000;
const PAUSE_MS_MAX = 60_000;

/** A part of the program as it is mapped: addresses, end exclusive. */
export type Mapping = { readonly start: bigint; readonly end: bigint };

type Advise = (start: bigint, sizeBytes: bigint, advice: number) => number;

/** Begins to give pages back, for as long as the process lives. Costs about 2 ms a minute. */
export function keepCodePagesFew(): void {
  let release: (() => void) | null = null;
  const again = (pauseMs: number) => {
    setTimeout(() => {
      release ??= codePageRelease();
      if (release === null) return;
      release();
      again(Math.min(2 * pauseMs, PAUSE_MS_MAX));
    }, pauseMs).unref();
  };
  again(FIRST_AFTER_MS);
}

/** What gives back all pages that can be read again from the program's file; null when nothing can. */
export function codePageRelease(): (() => void) | null {
  if (process.platform !== 'linux') return null;
  try {
    const mappings = unchangedMappings(
      readFileSync('/proc/self/smaps', 'utf8'),
      realpathSync('/proc/self/exe'),
    );
    const advise = loadAdvise();
    return () => {
      for (const { start, end } of mappings) advise(start, end - start, DONT_NEED);
    };
  } catch {
    return null;
  }
}

/**
 * The parts of `file` that nobody can write to and that nothing has changed since they were mapped
 * (the loader changes some before it protects them). A changed page would be lost.
 *
 * @param smaps  content of `/proc/<pid>/smaps`
 */
export function unchangedMappings(smaps: string, file: string): Mapping[] {
  const found: Mapping[] = [];
  // A head line, then one line per figure, until the next head line.
  for (const entry of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (r-[x-]p) \S+ \S+ \S+ +(.+)$/m.exec(entry);
    if (head === null || head[4] !== file) continue;
    if (!/^Anonymous: +0 kB$/m.test(entry)) continue;
    found.push({ start: BigInt(`0x${head[1]}`), end: BigInt(`0x${head[2]}`) });
  }
  return found;
}

/** @throws Error  where Node cannot call foreign functions, or may not */
function loadAdvise(): Advise {
  const emitWarning: unknown = Reflect.get(process, 'emitWarning');
  // Loading it warns on standard error that it is experimental; whoever runs a server cannot act on it.
  process.emitWarning = () => {};
  try {
    const ffi = process.getBuiltinModule('node:ffi');
    const { functions } = ffi.dlopen(null, {
      madvise: { arguments: ['pointer', 'uint64', 'int32'], return: 'int32' },
    });
    return functions.madvise;
  } finally {
    Reflect.set(process, 'emitWarning', emitWarning);
  }
}
