/**
 * CPU time of writing records of 1000 samples to a log on disk, per byte of record and per sample.
 *
 *   node bench/wal.bench.ts [directory]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ByteWriter, highBits, lowBits } from '../model/index.ts';
import { NODE_FILES } from '../tsdb/io/node-files.ts';
import { SampleBatch } from '../tsdb/record/sample-batch.ts';
import { decodeSamples, encodeSamples } from '../tsdb/record/samples.ts';
import { WAL_COMPRESSIONS } from '../tsdb/wal/compression.ts';
import { listSegments } from '../tsdb/wal/segment-name.ts';
import { WalReader } from '../tsdb/wal/wal-reader.ts';
import { WalWriter } from '../tsdb/wal/wal-writer.ts';

const COMMIT_COUNT = 2000;
const SAMPLES_PER_COMMIT = 1000;
/** The best round counts: it is the one that was disturbed least. */
const ROUND_COUNT = 5;

function cpuNs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

const batches = Array.from({ length: 20 }, (_, target) => {
  const batch = new SampleBatch(SAMPLES_PER_COMMIT);
  for (let i = 0; i < SAMPLES_PER_COMMIT; i++) {
    const value = i % 3 === 0 ? Math.floor(Math.random() * 1e6) : i % 3 === 1 ? 1 : Math.random();
    const ref = target * SAMPLES_PER_COMMIT + i + 1;
    batch.push(ref, 1_761_955_200_000, highBits(value), lowBits(value));
  }
  return batch;
});

for (const compression of WAL_COMPRESSIONS) {
  const directory = mkdtempSync(path.join(process.argv[2] ?? tmpdir(), 'narthex-wal-'));
  const out = new ByteWriter();
  const writer = new WalWriter(NODE_FILES, directory, { compression });
  const write = (count: number) => {
    for (let i = 0; i < count; i++) {
      out.clear();
      encodeSamples(batches[i % batches.length]!, out);
      writer.log(out.bytes, 0, out.length);
    }
  };
  write(COMMIT_COUNT / 4);
  const before = { ...writer.stats };
  let writeNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUND_COUNT; round++) {
    writeNs = Math.min(
      writeNs,
      cpuNs(() => write(COMMIT_COUNT)),
    );
  }
  const recordBytes = (writer.stats.recordSizeBytes - before.recordSizeBytes) / ROUND_COUNT;
  const storedBytes = (writer.stats.writtenSizeBytes - before.writtenSizeBytes) / ROUND_COUNT;
  writer.close();

  const back = new SampleBatch(SAMPLES_PER_COMMIT);
  let readCount = 0;
  let readNs = Number.POSITIVE_INFINITY;
  const read = () => {
    readCount = 0;
    const reader = WalReader.forSegments(
      NODE_FILES,
      directory,
      listSegments(NODE_FILES, directory),
    );
    while (reader.next()) {
      back.clear();
      decodeSamples(reader.bytes, reader.start, reader.end, back, { file: '', offsetBytes: 0 });
      readCount += back.count;
    }
    reader.close();
  };
  for (let round = 0; round < ROUND_COUNT; round++) readNs = Math.min(readNs, cpuNs(read));
  rmSync(directory, { recursive: true });
  const samples = COMMIT_COUNT * SAMPLES_PER_COMMIT;
  console.log(
    `${compression}: write ${(writeNs / recordBytes).toFixed(2)} ns per byte, ` +
      `${(writeNs / samples).toFixed(1)} ns per sample, ${(storedBytes / samples).toFixed(2)} B; ` +
      `read ${(readNs / readCount).toFixed(1)} ns per sample`,
  );
}
