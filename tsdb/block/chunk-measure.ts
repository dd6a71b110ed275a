/** How large the chunks of a block are; measured by the thread that writes it. */
import { Distribution, type MetricSample } from '../../model/index.ts';
import type { SourceChunk } from './block-source.ts';

/** Of each chunk that was written: upper bounds as Prometheus has them. */
export const CHUNK_BOUNDS = {
  samples: growing(4, 1.5, 12),
  sizeBytes: growing(32, 1.5, 12),
  rangeSeconds: growing(100, 4, 10),
} as const;

export type ChunkFigures = Readonly<Record<keyof typeof CHUNK_BOUNDS, MetricSample>>;

export class ChunkMeasure {
  readonly #samples = new Distribution(CHUNK_BOUNDS.samples);
  readonly #sizeBytes = new Distribution(CHUNK_BOUNDS.sizeBytes);
  readonly #rangeSeconds = new Distribution(CHUNK_BOUNDS.rangeSeconds);

  add({ bytes, sampleCount, minMs, maxMs }: SourceChunk): void {
    this.#samples.observe(sampleCount);
    this.#sizeBytes.observe(bytes.length);
    this.#rangeSeconds.observe((maxMs - minMs) / 1000);
  }

  figures(): ChunkFigures {
    return {
      samples: this.#samples.sample([]),
      sizeBytes: this.#sizeBytes.sample([]),
      rangeSeconds: this.#rangeSeconds.sample([]),
    };
  }
}

function growing(start: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => start * factor ** i);
}
