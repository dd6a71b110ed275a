/**
 * The readers of all formats, and the memory they work in. Shared by all targets of a manager,
 * because scrapes are taken in one after another.
 */
import type { Appender, MetricMetadata } from '../model/index.ts';
import type { ClassicFamilies } from './classic-families.ts';
import type { ExpositionFormat } from './exposition/negotiate.ts';
import { ProtobufIngest } from './protobuf-ingest.ts';
import { Staging } from './staging.ts';
import type { TargetSeries } from './target-series.ts';
import { TextReader } from './text-ingest.ts';

/** The text readers write so many bytes behind a body. */
const SPARE_BYTES = 2;
const BUFFER_SIZE_MIN_BYTES = 64 * 1024;
/** A buffer that one large body made grow is given back after so many that need a quarter of it. */
const SHRINK_AFTER_BODIES = 1000;

export class TargetReader {
  readonly staging = new Staging();
  readonly #text = new TextReader(false);
  readonly #openMetrics = new TextReader(true);
  readonly #protobuf = new ProtobufIngest();
  #buffer = new Uint8Array(BUFFER_SIZE_MIN_BYTES);
  #smallBodies = 0;

  /**
   * Reads a body into `series`, up to but not including `finish`.
   * @param spareBytes  so many bytes behind the body may be overwritten
   * @throws ExpositionError
   */
  read(
    series: TargetSeries,
    classic: ClassicFamilies | null,
    format: ExpositionFormat,
    body: Uint8Array,
    spareBytes: number,
    appender: Appender,
    timestampMs: number,
  ): void {
    if (format === 'protobuf') {
      series.begin(appender, this.staging, timestampMs, format, this.#protobuf);
      this.#protobuf.read(series, body, body.length);
      return;
    }
    const reader = format === 'openmetrics' ? this.#openMetrics : this.#text;
    series.begin(appender, this.staging, timestampMs, format, reader);
    let bytes: Uint8Array;
    if (spareBytes >= SPARE_BYTES) {
      bytes = new Uint8Array(body.buffer, body.byteOffset, body.length + SPARE_BYTES);
    } else {
      bytes = this.#bufferFor(body.length + SPARE_BYTES);
      bytes.set(body);
    }
    reader.read(series, classic, bytes, body.length);
  }

  metadataOf(series: TargetSeries): ReadonlyMap<string, MetricMetadata> {
    switch (series.format) {
      case null:
        return new Map();
      case 'text':
        return this.#text.metadataOf(series);
      case 'openmetrics':
        return this.#openMetrics.metadataOf(series);
      case 'protobuf':
        return this.#protobuf.metadataOf(series);
    }
  }

  #bufferFor(sizeBytes: number): Uint8Array {
    if (sizeBytes * 4 > this.#buffer.length) this.#smallBodies = 0;
    else if (++this.#smallBodies > SHRINK_AFTER_BODIES) this.#shrink();
    if (sizeBytes > this.#buffer.length) {
      this.#buffer = new Uint8Array(Math.ceil(sizeBytes * 1.25));
    }
    return this.#buffer;
  }

  #shrink(): void {
    this.#smallBodies = 0;
    if (this.#buffer.length <= BUFFER_SIZE_MIN_BYTES) return;
    this.#buffer = new Uint8Array(Math.max(BUFFER_SIZE_MIN_BYTES, this.#buffer.length >> 2));
    this.staging.shrink();
  }
}
