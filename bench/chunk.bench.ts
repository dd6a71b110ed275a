/**
 * CPU time of encoding and decoding chunks of 120 samples, per sample.
 *
 *   node bench/chunk.bench.ts
 */
import { highBits, lowBits, SampleBuffer } from '../model/index.ts';
import { decodeChunk } from '../tsdb/chunk/decoder.ts';
import { Xor2Encoder } from '../tsdb/chunk/xor2-encoder.ts';
import { XorEncoder } from '../tsdb/chunk/xor-encoder.ts';

const CHUNK_COUNT = 2000;
const SAMPLE_COUNT = 120;
const ROUND_COUNT = 10;
const PLACE = { file: 'bench', offsetBytes: 0 };

let seed = 1;
const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;

/** Value after `previous`, and how late the scrape was. */
const KINDS: Record<string, { next: (previous: number) => number; jitterMs: () => number }> = {
  constant: { next: () => 5, jitterMs: () => 0 },
  counter: {
    next: (v) => v + Math.floor(random() * 100),
    jitterMs: () => Math.floor(random() * 9),
  },
  gauge: { next: () => random() * 100, jitterMs: () => Math.floor(random() * 5) },
};

function cpuNs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

for (const [kind, { next, jitterMs }] of Object.entries(KINDS)) {
  const times = new Float64Array(CHUNK_COUNT * SAMPLE_COUNT);
  const values = new Float64Array(times.length);
  for (let i = 0; i < times.length; i++) {
    times[i] = 1.7e12 + i * 15_000 + jitterMs();
    values[i] = next(i % SAMPLE_COUNT === 0 ? 1000 : values[i - 1]!);
  }
  for (const encoder of [new XorEncoder(), new Xor2Encoder()]) {
    const chunks: Uint8Array[] = [];
    const encode = () => {
      chunks.length = 0;
      for (let i = 0; i < times.length; i++) {
        if (i % SAMPLE_COUNT === 0) encoder.reset();
        encoder.append(times[i]!, highBits(values[i]!), lowBits(values[i]!));
        if (encoder.count === SAMPLE_COUNT) chunks.push(encoder.finish());
      }
    };
    const out = new SampleBuffer(SAMPLE_COUNT);
    const decode = () => {
      for (const chunk of chunks) {
        out.clear();
        decodeChunk(encoder.encoding, chunk, 0, chunk.length, -Infinity, Infinity, out, PLACE);
      }
    };
    encode();
    decode();
    // The best round counts: it is the one that was disturbed least.
    let encodeNs = Number.POSITIVE_INFINITY;
    let decodeNs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUND_COUNT; round++) {
      encodeNs = Math.min(encodeNs, cpuNs(encode));
      decodeNs = Math.min(decodeNs, cpuNs(decode));
    }
    const perSample = (ns: number) => (ns / times.length).toFixed(1);
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / times.length;
    const name = encoder instanceof Xor2Encoder ? 'XOR2' : 'XOR';
    console.log(
      `${name} ${kind}: ${sizeBytes.toFixed(2)} B, ` +
        `encode ${perSample(encodeNs)} ns, decode ${perSample(decodeNs)} ns per sample`,
    );
  }
}
