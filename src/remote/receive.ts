/**
 * Takes remote-write requests in, in the thread that writes. A request that is malformed anywhere
 * stores nothing; of a well-formed one each sample stands for itself: what storage refuses is
 * reported with reason and series, the rest is stored. (Prometheus drops a whole version 1.0
 * request for one bad sample.)
 *
 * Source: Prometheus remote write specifications 1.0 and 2.0; answers of 3.14.
 */
import {
  type Appendable,
  type Clock,
  type Counter,
  type Logger,
  type Queryable,
  type Registry,
  snappyDecompress,
  snappyPlainSize,
  ValueError,
} from '../../model/index.ts';
import { SeriesRefCache } from './series-ref-cache.ts';
import { WireError } from './wire-error.ts';
import { WriteBatch, type WriteReport, type WriteVersion } from './write-batch.ts';
import { WriteColumns } from './write-columns.ts';
import type { WriteMessage } from './write-message.ts';
import { WriteMessageV1 } from './write-message-v1.ts';
import { WriteMessageV2 } from './write-message-v2.ts';

/** A body must not unpack to more. */
const PLAIN_SIZE_BYTES_MAX = 32 * 1024 * 1024;
const BUFFER_SIZE_BYTES = 256 * 1024;
/** A larger buffer is given back after the request. */
const KEPT_BUFFER_BYTES_MAX = 4 * 1024 * 1024;
const LOG_INTERVAL_MS = 10_000;

export type ReceiverOptions = {
  readonly storage: Appendable & Queryable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Whether metadata goes into the log. */
  readonly appendMetadata: boolean;
};

export class RemoteWriteReceiver {
  readonly #storage: Appendable & Queryable;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #messages: Readonly<Record<WriteVersion, WriteMessage>>;
  readonly #invalidLabels: Counter;
  readonly #cache = new SeriesRefCache();
  #columns = new WriteColumns();
  #plain = new Uint8Array(BUFFER_SIZE_BYTES);
  #loggedMs = -Infinity;
  #refusedSinceLog = 0;

  constructor({ storage, clock, logger, registry, appendMetadata }: ReceiverOptions) {
    this.#storage = storage;
    this.#clock = clock;
    this.#logger = logger.with({ component: 'remote write receiver' });
    this.#messages = { 1: new WriteMessageV1(), 2: new WriteMessageV2(appendMetadata) };
    this.#invalidLabels = registry.counter(
      'prometheus_api_remote_write_invalid_labels_samples_total',
      'Samples received by remote write that were refused for their labels.',
    );
  }

  /**
   * @param body  a snappy block, as received
   * @throws ValueError  it cannot be unpacked
   */
  write(version: WriteVersion, body: Uint8Array): WriteReport {
    const message = this.#messages[version];
    const nowMs = this.#clock.nowMs();
    this.#cache.tell(nowMs);
    this.#columns.clear();
    try {
      message.read(this.#unpack(body), this.#columns);
      const batch = new WriteBatch({
        version,
        message,
        columns: this.#columns,
        cache: this.#cache,
        storage: this.#storage,
        nowMs,
      });
      const report = batch.store();
      this.#invalidLabels.increase(batch.invalidCount);
      if (batch.refusedCount > 0) this.#log(batch.refusedCount, report.rejection ?? batch.invalid);
      return report;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { message: rejection } = error;
      return { samplesWritten: 0, histogramsWritten: 0, exemplarsWritten: 0, rejection };
    } finally {
      if (this.#plain.length > KEPT_BUFFER_BYTES_MAX) {
        this.#plain = new Uint8Array(BUFFER_SIZE_BYTES);
        this.#columns = new WriteColumns();
      }
    }
  }

  /** Good until the next request. */
  #unpack(body: Uint8Array): Uint8Array {
    let size: number;
    try {
      size = snappyPlainSize(body);
    } catch (error) {
      throw new ValueError('s2: corrupt input', { cause: error });
    }
    if (size > PLAIN_SIZE_BYTES_MAX) {
      throw new ValueError(`decoded size exceeds the ${PLAIN_SIZE_BYTES_MAX} bytes limit`);
    }
    if (size > this.#plain.length) this.#plain = new Uint8Array(Math.max(size, BUFFER_SIZE_BYTES));
    try {
      snappyDecompress(body, 0, body.length, this.#plain);
    } catch (error) {
      throw new ValueError('s2: corrupt input', { cause: error });
    }
    return this.#plain.subarray(0, size);
  }

  /** Not for every request: a sender that is wrong tends to stay wrong. */
  #log(refusedCount: number, report: string): void {
    this.#refusedSinceLog += refusedCount;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    const first = report.split('\n', 1)[0]!;
    this.#logger.warn('Samples refused', { count: this.#refusedSinceLog, first });
    this.#loggedMs = nowMs;
    this.#refusedSinceLog = 0;
  }
}
