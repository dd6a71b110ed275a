/** What an import is asked, and what it tells. Apart, because the thread that asks does no importing. */
import type { ImportFormat } from '../../web/index.ts';

export type ImportJob = {
  readonly file: string;
  readonly isGzip: boolean;
  readonly format: ImportFormat;
  /** Nothing is written: only counted. */
  readonly isDryRun: boolean;
  /** For files on the way; exists and is empty. */
  readonly workDirectory: string;
  /** Where the finished blocks are put; does not exist yet. */
  readonly blocksDirectory: string;
  /** Older samples are refused: retention would delete them at once. */
  readonly minMs: number;
  /** So are later ones. */
  readonly maxMs: number;
  /** Longest time that a block may cover. */
  readonly blockMsMax: number;
  readonly nowMs: number;
};

export type BadLine = { readonly line: number; readonly error: string };

export type ImportFigures = {
  /** Of the file; what a compressed one holds may be more. */
  readBytes: number;
  lineCount: number;
  seriesCount: number;
  sampleCount: number;
  /** Times of the samples; null while there are none. */
  minMs: number | null;
  maxMs: number | null;
  badLineCount: number;
  /** The first of them. */
  badLines: BadLine[];
  /** Samples that are older than the retention, or in the future. */
  tooOldCount: number;
  tooNewCount: number;
  /** Samples whose time another sample of the same series has with another value. */
  conflictCount: number;
  /** Samples that are in blocks by now. */
  writtenCount: number;
  blocks: string[];
};

export function emptyFigures(): ImportFigures {
  return {
    readBytes: 0,
    lineCount: 0,
    seriesCount: 0,
    sampleCount: 0,
    minMs: null,
    maxMs: null,
    badLineCount: 0,
    badLines: [],
    tooOldCount: 0,
    tooNewCount: 0,
    conflictCount: 0,
    writtenCount: 0,
    blocks: [],
  };
}
