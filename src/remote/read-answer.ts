/**
 * Answers remote reads, in a query worker. A streamed answer is made page by page: each page is a
 * question of its own that says after which series it begins, so that a client that reads slowly
 * keeps no worker waiting. A sampled answer is one page, and bounded.
 *
 * External labels are added to series that have no such label. A matcher that asks for just an
 * external label matches those series. Source: Prometheus documentation (remote read, external
 * labels); answers of 3.14.
 */
import {
  ByteWriter,
  CanceledError,
  compareLabels,
  Labels,
  LabelsBuilder,
  Matcher,
  ProtobufWriter,
  type Queryable,
  SampleBuffer,
  type SelectedSeries,
  snappyCompress,
  snappyDecompress,
  snappyPlainSize,
  snappySizeMax,
  ValueError,
  toIntegerHistogram,
} from '../../model/index.ts';
import { encodeRawSamples, RawSamples, XorEncoder } from '../../tsdb/index.ts';
import {
  decodeReadRequest,
  type EncodedChunk,
  labelsSizeBytes,
  type ReadQuery,
  type ReadRequest,
  SAMPLES,
  STREAMED_CHUNKS,
  writeFrame,
  writeSampledSeries,
} from './read-message.ts';

/** Where a page begins. */
export type ReadCursor = {
  readonly query: number;
  /** Names and values of the series that came last; null at the first one of the query. */
  readonly after: readonly string[] | null;
};

export type ReadJob = {
  /** As received: a snappy block. */
  readonly body: Uint8Array;
  readonly cursor: ReadCursor;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** `--storage.remote.read-sample-limit`, for sampled answers; 0 for none. */
  readonly sampleCountMax: number;
  /** `--storage.remote.read-max-bytes-in-frame` */
  readonly frameSizeBytesMax: number;
};

export type ReadPage = {
  readonly bytes: Uint8Array;
  readonly isStreamed: boolean;
  /** Null when this is the last one. */
  readonly next: ReadCursor | null;
};

const REQUEST_SIZE_BYTES_MAX = 32 * 1024 * 1024;
const PAGE_SIZE_BYTES = 4 * 1024 * 1024;
/** As many as Prometheus puts into a chunk. */
const CHUNK_SAMPLE_COUNT = 120;

/**
 * @throws ValueError     the request is malformed, or asks for too many samples
 * @throws CanceledError  nobody wants it any more
 */
export function answerRead(
  queryable: Queryable,
  job: ReadJob,
  isCanceled: () => boolean,
): ReadPage {
  const request = decodeReadRequest(unpack(job.body));
  const type = responseType(request);
  const reading = new Reading(queryable, job, isCanceled);
  if (type === STREAMED_CHUNKS) return reading.streamedPage(request.queries);
  return { bytes: reading.sampled(request.queries), isStreamed: false, next: null };
}

function unpack(body: Uint8Array): Uint8Array {
  let sizeBytes: number;
  const corrupt = (cause: unknown) => new ValueError('snappy: corrupt input', { cause });
  try {
    sizeBytes = snappyPlainSize(body);
  } catch (error) {
    throw corrupt(error);
  }
  if (sizeBytes > REQUEST_SIZE_BYTES_MAX) {
    const what = `decoded length ${sizeBytes} exceeds limit ${REQUEST_SIZE_BYTES_MAX}`;
    throw new ValueError(`snappy: ${what}`);
  }
  const plain = new Uint8Array(sizeBytes);
  try {
    snappyDecompress(body, 0, body.length, plain);
  } catch (error) {
    throw corrupt(error);
  }
  return plain;
}

function responseType({ types }: ReadRequest): number {
  if (types.length === 0) return SAMPLES;
  const type = types.find((t) => t === SAMPLES || t === STREAMED_CHUNKS);
  if (type !== undefined) return type;
  throw new ValueError(
    `server does not support any of the requested response types: [${types.join(' ')}]; ` +
      'supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]',
  );
}

class Reading {
  readonly #queryable: Queryable;
  readonly #job: ReadJob;
  readonly #isCanceled: () => boolean;
  readonly #samples = new SampleBuffer();
  readonly #message = new ProtobufWriter(new ByteWriter(4096));
  readonly #encoder = new XorEncoder();

  constructor(queryable: Queryable, job: ReadJob, isCanceled: () => boolean) {
    this.#queryable = queryable;
    this.#job = job;
    this.#isCanceled = isCanceled;
  }

  sampled(queries: readonly ReadQuery[]): Uint8Array {
    const { sampleCountMax } = this.#job;
    const out = new ProtobufWriter(new ByteWriter(64 * 1024));
    let sampleCount = 0;
    for (const query of queries) {
      out.message(1, () => {
        this.#each(query, null, (labels, samples) => {
          sampleCount += samples.count;
          if (sampleCountMax > 0 && sampleCount > sampleCountMax) {
            throw new ValueError(`exceeded sample limit (${sampleCountMax})`);
          }
          writeSampledSeries(out, this.#withExternal(labels), samples);
          return true;
        });
      });
    }
    const plain = out.view();
    const packed = new Uint8Array(snappySizeMax(plain.length));
    return packed.slice(0, snappyCompress(plain, 0, plain.length, packed, 0));
  }

  /** Whole series, until there is enough for a page. */
  streamedPage(queries: readonly ReadQuery[]): ReadPage {
    const out = new ByteWriter(64 * 1024);
    const { cursor } = this.#job;
    let next: ReadCursor | null = null;
    for (let q = cursor.query; q < queries.length && next === null; q++) {
      const after = q === cursor.query ? cursor.after : null;
      this.#each(queries[q]!, after, (labels, samples) => {
        this.#writeFrames(out, this.#withExternal(labels), this.#encode(samples), q);
        if (out.length < PAGE_SIZE_BYTES) return true;
        next = { query: q, after: labels.flat };
        return false;
      });
    }
    return { bytes: out.view().slice(), isStreamed: true, next };
  }

  /** Calls `visit` for each series that has samples, until it returns false. */
  #each(
    query: ReadQuery,
    after: readonly string[] | null,
    visit: (labels: Labels, samples: SampleBuffer) => boolean,
  ): void {
    const { startMs, endMs } = query;
    // Without matchers Prometheus gives nothing as well.
    if (query.matchers.length === 0 || endMs < startMs) return;
    const { externalLabels } = this.#job;
    const matchers = query.matchers.map(({ name, operator, value }) => {
      const isExternal = operator === '=' && value !== '' && externalLabels[name] === value;
      return new Matcher(name, operator, isExternal ? '' : value);
    });
    const querier = this.#queryable.querier(startMs, endMs);
    try {
      const selected = querier.select(matchers, { minMs: startMs, maxMs: endMs });
      for (let row = firstRow(selected, after); row < selected.labels.length; row++) {
        if (this.#isCanceled()) throw new CanceledError('remote read canceled');
        selected.read(row, startMs, endMs, this.#samples);
        if (this.#samples.count === 0) continue;
        if (!visit(selected.labels[row]!, this.#samples)) return;
      }
    } finally {
      querier.close();
    }
  }

  /** A series' chunks, in as many frames as the size of one asks for. */
  #writeFrames(
    out: ByteWriter,
    labels: Labels,
    chunks: readonly EncodedChunk[],
    query: number,
  ): void {
    if (chunks.length === 1) {
      writeFrame(out, this.#message, labels, chunks, query);
      return;
    }
    const labelsSize = labelsSizeBytes(labels, this.#message);
    let start = 0;
    let size = labelsSize;
    chunks.forEach(({ bytes }, i) => {
      size += bytes.length;
      if (size < this.#job.frameSizeBytesMax && i < chunks.length - 1) return;
      writeFrame(out, this.#message, labels, chunks.slice(start, i + 1), query);
      start = i + 1;
      size = labelsSize;
    });
  }

  #encode(samples: SampleBuffer): EncodedChunk[] {
    if (samples.histograms !== null) return encodeMixed(samples);
    const { count, timestampsMs, valueHalves } = samples;
    const encoder = this.#encoder;
    const chunks: EncodedChunk[] = [];
    for (let start = 0; start < count; start += CHUNK_SAMPLE_COUNT) {
      const end = Math.min(count, start + CHUNK_SAMPLE_COUNT);
      encoder.reset();
      for (let i = start; i < end; i++) {
        encoder.append(timestampsMs[i]!, valueHalves[i * 2 + 1]!, valueHalves[i * 2]!);
      }
      chunks.push({
        minMs: encoder.firstMs,
        maxMs: encoder.lastMs,
        encoding: encoder.encoding,
        bytes: encoder.finish(),
      });
    }
    return chunks;
  }

  #withExternal(labels: Labels): Labels {
    const { externalLabels } = this.#job;
    let builder: LabelsBuilder | null = null;
    for (const [name, value] of Object.entries(externalLabels)) {
      if (!labels.has(name)) (builder ??= new LabelsBuilder(labels)).set(name, value);
    }
    return builder === null ? labels : builder.build();
  }
}

/** The first row beyond `after`; rows are sorted by labels. */
function firstRow({ labels }: SelectedSeries, after: readonly string[] | null): number {
  if (after === null) return 0;
  const last = Labels.fromSorted(after);
  let low = 0;
  let high = labels.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareLabels(labels[middle]!, last) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A series with histograms. Start timestamps are left out, for not every reader knows them. */
function encodeMixed(samples: SampleBuffer): EncodedChunk[] {
  const raw = new RawSamples();
  const { timestampsMs, valueHalves, histograms } = samples;
  for (let i = 0; i < samples.count; i++) {
    const histogram = histograms?.[i] ?? null;
    const kept = histogram === null ? null : toIntegerHistogram(histogram);
    raw.push(timestampsMs[i]!, valueHalves[i * 2 + 1]!, valueHalves[i * 2]!, 0, kept);
  }
  return encodeRawSamples(raw, false);
}
