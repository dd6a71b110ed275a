/**
 * Takes OTLP metrics in, in the thread that writes. What cannot be translated or stored is refused
 * with a reason, the rest is stored. (Prometheus answers 500 to what it cannot translate, and stores
 * nothing of such a request.)
 */
import type { Appendable, Clock, Queryable } from '../../model/index.ts';
import { ValueError } from '../../model/index.ts';
import { DeltaToCumulative } from './delta-to-cumulative.ts';
import { decodeOtlpJson } from './otlp-json.ts';
import { decodeOtlpProtobuf } from './otlp-protobuf.ts';
import { OtlpMessage, type OtlpOptions } from './otlp-translate.ts';
import { SeriesRefCache } from './series-ref-cache.ts';
import { WriteBatch } from './write-batch.ts';
import { WriteColumns } from './write-columns.ts';

export type OtlpRequest = {
  readonly encoding: 'protobuf' | 'json';
  /** Decompressed. */
  readonly body: Uint8Array;
  readonly options: OtlpOptions;
};

export type OtlpReceiverOptions = {
  readonly storage: Appendable & Queryable;
  readonly clock: Clock;
  /** Whether metadata goes into the log. */
  readonly appendMetadata: boolean;
};

export class OtlpReceiver {
  readonly #options: OtlpReceiverOptions;
  /** Nothing is kept in it: these series are found by their labels. */
  readonly #cache = new SeriesRefCache();
  #deltas: DeltaToCumulative | null = null;

  constructor(options: OtlpReceiverOptions) {
    this.#options = options;
  }

  /** @throws ValueError  the request is malformed, or part of it was refused */
  write({ encoding, body, options }: OtlpRequest): void {
    const resources = encoding === 'json' ? decodeOtlpJson(body) : decodeOtlpProtobuf(body);
    if (options.totalsDeltas) {
      this.#deltas ??= new DeltaToCumulative();
      this.#deltas.apply(resources, this.#options.clock.nowMs());
    }
    const columns = new WriteColumns();
    const message = new OtlpMessage(resources, columns, options);
    if (!this.#options.appendMetadata) columns.metadata.length = 0;
    const { rejection } = new WriteBatch({
      version: 2,
      message,
      columns,
      cache: this.#cache,
      storage: this.#options.storage,
      nowMs: this.#options.clock.nowMs(),
    }).store();
    const reasons = [...message.problems, ...(rejection === null ? [] : [rejection])];
    if (reasons.length > 0) throw new ValueError(reasons.join('\n'));
  }
}
