/**
 * Turns a file of samples into blocks, in a thread of its own: lines to samples, samples to files by
 * time, files to blocks. A bad line is reported and passed over. Memory holds the series, and the
 * samples of one block.
 */
import { createReadStream, mkdirSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import {
  compareLabels,
  compareText,
  Labels,
  messageOf,
  NarthexError,
  ValueError,
} from '../../model/index.ts';
import { type ImportedSeries, UlidSource, writeImportedBlock } from '../../tsdb/index.ts';
import { emptyFigures, type ImportFigures, type ImportJob } from './import-job.ts';
import { checkLabels, CsvHeaderError, lineReader } from './line-formats.ts';
import { SampleSpill, SPILL_RANGE_MS } from './sample-spill.ts';
import { samplesBySeries } from './series-order.ts';

const BAD_LINES_SHOWN_MAX = 100;
/** A line that does not fit is bad; nobody means it. */
const LINE_SIZE_BYTES_MAX = 16 * 1024 * 1024;
/** So many samples, at 20 bytes twice, are held while one block is written. */
const BLOCK_SAMPLES_TARGET = 20_000_000;
/** Blocks are made longer rather than more than so many. */
const BLOCK_COUNT_TARGET = 100;
/** Each level of compaction takes three blocks of the one below. */
const BLOCK_GROWTH = 3;
const PROGRESS_LINES = 10_000;
const NEWLINE = 0x0a;

/** @throws NarthexError when nothing of it can be used, or the disk is full */
export async function runImport(
  job: ImportJob,
  onProgress: (figures: ImportFigures) => void,
): Promise<ImportFigures> {
  const figures = emptyFigures();
  const series = new SeriesTable();
  const spill = new SampleSpill(job.workDirectory);
  const read = lineReader(job.format);
  const take = (labels: readonly string[], timestampMs: number, value: number) => {
    if (timestampMs < job.minMs) figures.tooOldCount++;
    else if (timestampMs > job.maxMs) figures.tooNewCount++;
    else {
      const id = series.idOf(labels);
      figures.sampleCount++;
      if (figures.minMs === null || timestampMs < figures.minMs) figures.minMs = timestampMs;
      if (figures.maxMs === null || timestampMs > figures.maxMs) figures.maxMs = timestampMs;
      if (!job.isDryRun) spill.add(id, timestampMs, value);
    }
  };
  await eachLine(job, figures, (line) => {
    figures.lineCount++;
    try {
      if (line === null) throw new ValueError(`longer than ${LINE_SIZE_BYTES_MAX} bytes`);
      read(line, take);
    } catch (error) {
      if (!(error instanceof NarthexError)) throw error;
      if (error instanceof CsvHeaderError) throw error;
      figures.badLineCount++;
      if (figures.badLines.length < BAD_LINES_SHOWN_MAX) {
        figures.badLines.push({ line: figures.lineCount, error: messageOf(error) });
      }
    }
    figures.seriesCount = series.count;
    if (figures.lineCount % PROGRESS_LINES === 0) onProgress(figures);
  });
  onProgress(figures);
  if (!job.isDryRun) writeBlocks(job, series, spill, figures, onProgress);
  return figures;
}

/** Hands out the lines without their newlines; null stands for one that is too long. */
async function eachLine(
  { file, isGzip }: ImportJob,
  figures: ImportFigures,
  visit: (line: Uint8Array | null) => void,
): Promise<void> {
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 });
  stream.on('data', (chunk) => (figures.readBytes += chunk.length));
  const chunks: AsyncIterable<Buffer> = isGzip ? stream.pipe(createGunzip()) : stream;
  let rest: Buffer = Buffer.alloc(0);
  let isSkipping = false;
  try {
    for await (const chunk of chunks) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (;;) {
        const end = bytes.indexOf(NEWLINE, start);
        if (end < 0) break;
        visit(isSkipping ? null : bytes.subarray(start, end));
        isSkipping = false;
        start = end + 1;
      }
      rest = bytes.subarray(start);
      if (rest.length > LINE_SIZE_BYTES_MAX) {
        isSkipping = true;
        rest = Buffer.alloc(0);
      }
    }
  } catch (error) {
    const { code } = error as { code?: unknown };
    // The lines before are not to be trusted either: nobody knows how much is missing.
    if (!isGzip || typeof code !== 'string' || !code.startsWith('Z_')) throw error;
    throw new ValueError(`the body cannot be decompressed: ${messageOf(error)}`, { cause: error });
  }
  if (isSkipping || rest.length > 0) visit(isSkipping ? null : rest);
}

function writeBlocks(
  job: ImportJob,
  series: SeriesTable,
  spill: SampleSpill,
  figures: ImportFigures,
  onProgress: (figures: ImportFigures) => void,
): void {
  mkdirSync(job.blocksDirectory);
  const { labels, rank } = series.ranked();
  const ulids = new UlidSource();
  for (const { minMs, endMs, startsMs } of blockRanges(spill.ranges, job.blockMsMax)) {
    const samples = spill.read(startsMs);
    const present = new Set<number>(samples.series);
    const meta = writeImportedBlock({
      directory: job.blocksDirectory,
      ulid: ulids.next(job.nowMs),
      minMs,
      endMs,
      symbols: symbolsOf(present, labels),
      *series(): Iterable<ImportedSeries> {
        for (const one of samplesBySeries(samples, rank, () => figures.conflictCount++)) {
          yield { ...one, labels: labels[one.series]! };
        }
      },
    });
    spill.drop(startsMs);
    if (meta !== null) figures.blocks.push(meta.ulid);
    figures.writtenCount += samples.count;
    onProgress(figures);
  }
}

function symbolsOf(present: ReadonlySet<number>, labels: readonly Labels[]): string[] {
  const symbols = new Set<string>();
  for (const id of present) for (const text of labels[id]!.flat) symbols.add(text);
  return [...symbols].sort(compareText);
}

type BlockRange = {
  readonly minMs: number;
  readonly endMs: number;
  readonly startsMs: readonly number[];
};

/** Blocks as compaction makes them, aligned: as long as it takes for them to be few. */
export function blockRanges(
  ranges: readonly { readonly startMs: number; readonly count: number }[],
  blockMsMax: number,
): readonly BlockRange[] {
  let blockMs = SPILL_RANGE_MS;
  const blockCount = () => new Set(ranges.map(({ startMs }) => Math.floor(startMs / blockMs))).size;
  while (blockMs * BLOCK_GROWTH <= blockMsMax && blockCount() > BLOCK_COUNT_TARGET) {
    blockMs *= BLOCK_GROWTH;
  }
  const blocks: { minMs: number; endMs: number; startsMs: number[]; count: number }[] = [];
  for (const { startMs, count } of ranges) {
    const last = blocks.at(-1);
    const isNext =
      last === undefined ||
      Math.floor(last.minMs / blockMs) !== Math.floor(startMs / blockMs) ||
      last.count + count > BLOCK_SAMPLES_TARGET;
    if (isNext) {
      const endMs = startMs + SPILL_RANGE_MS;
      blocks.push({ minMs: startMs, endMs, startsMs: [startMs], count });
    } else {
      last.endMs = startMs + SPILL_RANGE_MS;
      last.startsMs.push(startMs);
      last.count += count;
    }
  }
  return blocks;
}

/** Label sets and their numbers. */
class SeriesTable {
  /** By the text of a line's labels, which is the same in most lines of a series. */
  readonly #byText = new Map<string, number>();
  readonly #byKey = new Map<string, number>();
  readonly #labels: Labels[] = [];

  get count(): number {
    return this.#labels.length;
  }

  /** @throws ValueError when these can be no labels of a series */
  idOf(flat: readonly string[]): number {
    const text = flat.join('\ud800');
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    checkLabels(flat);
    const pairs: [string, string][] = [];
    for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
    const labels = Labels.fromPairs(pairs);
    if (labels.size === 0) throw new ValueError('the series has no labels');
    if (labels.size < pairs.filter(([, value]) => value !== '').length) {
      throw new ValueError('a label occurs twice');
    }
    let id = this.#byKey.get(labels.key);
    if (id === undefined) {
      id = this.#labels.push(labels) - 1;
      this.#byKey.set(labels.key, id);
    }
    this.#byText.set(text, id);
    return id;
  }

  /** @returns rank: the place of each series when all are sorted */
  ranked(): { readonly labels: readonly Labels[]; readonly rank: Uint32Array } {
    const labels = this.#labels;
    const order = Uint32Array.from(labels, (_, id) => id).sort((a, b) =>
      compareLabels(labels[a]!, labels[b]!),
    );
    const rank = new Uint32Array(labels.length);
    order.forEach((id, place) => (rank[id] = place));
    return { labels, rank };
  }
}
