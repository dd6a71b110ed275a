/**
 * What the web room needs from the house to take in and hand out samples in bulk. The rules of
 * `ports.ts` hold.
 */
import type { Readable } from 'node:stream';

export const IMPORT_FORMATS = ['openmetrics', 'text', 'jsonl', 'csv'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];
export type ImportRequest = {
  readonly format: ImportFormat;
  readonly isDryRun: boolean;
  readonly isGzip: boolean;
};
export type ImportStatus = {
  readonly id: string;
  readonly format: ImportFormat;
  readonly isDryRun: boolean;
  readonly state: 'receiving' | 'waiting' | 'running' | 'adopting' | 'done' | 'failed' | 'canceled';
  readonly startedMs: number;
  /** Null while it is under way. */
  readonly finishedMs: number | null;
  /** Why it failed. */
  readonly error: string | null;
  /** Of the body, so far; and how many of them have been read. */
  readonly receivedBytes: number;
  readonly readBytes: number;
  readonly lineCount: number;
  readonly badLineCount: number;
  /** The first of them, counted from 1. */
  readonly badLines: readonly { readonly line: number; readonly error: string }[];
  readonly seriesCount: number;
  readonly sampleCount: number;
  /** Samples that are in blocks so far. */
  readonly writtenCount: number;
  /** Samples that were refused: older than the retention, or in the future. */
  readonly tooOldCount: number;
  readonly tooNewCount: number;
  /** Samples that were left out: another value was there for the same series and time. */
  readonly conflictCount: number;
  /** Times of the first and the last sample; null when there is none. */
  readonly minMs: number | null;
  readonly maxMs: number | null;
  /** Names of the blocks that came of it. */
  readonly blocks: readonly string[];
};
export interface ImportPort {
  /** Resolves when the body has been received; the rest happens later. */
  start(request: ImportRequest, body: Readable, signal: AbortSignal): Promise<ImportStatus>;
  /** The newest first. */
  list(): readonly ImportStatus[];
  find(id: string): ImportStatus | null;
  /** Nothing is left of it, unless its blocks are in use already: then it throws. */
  cancel(id: string): ImportStatus | null;
}

export type RemoteWriteRequest = {
  /** 1: `prometheus.WriteRequest`; 2: `io.prometheus.write.v2.Request`. */
  readonly version: 1 | 2;
  /** As received: a snappy block. */
  readonly body: Uint8Array;
};
export type RemoteWriteAnswer = {
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
  readonly exemplarsWritten: number;
  /** Why part of it was refused; the rest is stored. Answered with 400. */
  readonly rejection: string | null;
};
export interface RemoteWritePort {
  /** ApiError `bad_data` when the body is malformed, `internal` when nothing could be stored. */
  write(request: RemoteWriteRequest, signal: AbortSignal): Promise<RemoteWriteAnswer>;
}

export type PushRequest = {
  /** PUT replaces the whole group, POST metrics of the same names, DELETE ends the group. */
  readonly method: 'PUT' | 'POST' | 'DELETE';
  /** Of the group; they take the place of equally named ones in the body. */
  readonly labels: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** Ends the group so long after the push, unless another push comes; null: it stays. */
  readonly ttlMs: number | null;
  readonly body: Uint8Array;
};
export type PushedGroup = {
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last push that succeeded, and of the last that failed; 0 for never. */
  readonly pushedAtMs: number;
  readonly failedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly seriesCount: number;
};
export interface PushPort {
  /** Null when it is stored, otherwise what is wrong with the body. */
  push(request: PushRequest): Promise<string | null>;
  list(): Promise<readonly PushedGroup[]>;
}

export interface RemoteReadPort {
  /** `body` as received (a snappy block). Chunks of the answer are sent as they come. */
  read(
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<{
    readonly contentType: string;
    /** `snappy` for the sample form, none for the streamed form. */
    readonly contentEncoding: string | null;
    readonly chunks: AsyncIterable<Uint8Array>;
  }>;
}

export interface OtlpPort {
  /** Body of an ExportMetricsServiceRequest, decompressed. ApiError as for remote write. */
  write(
    request: { readonly encoding: 'protobuf' | 'json'; readonly body: Uint8Array },
    signal: AbortSignal,
  ): Promise<void>;
}
