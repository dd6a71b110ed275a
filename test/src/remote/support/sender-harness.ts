/** A database whose log is followed, and the writer that follows it, in this thread. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Exemplar,
  type FloatHistogram,
  type Histogram,
  Labels,
  type MetricMetadata,
  type SeriesRef,
  SILENT_LOGGER,
} from '../../../../model/index.ts';
import { REAL_CLOCK } from '../../../../src/real-clock.ts';
import { RemoteWriter } from '../../../../src/remote/write/remote-writer.ts';
import type { QueueConfig, RemoteWriteConfig } from '../../../../src/remote/write/write-config.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG } from '../../../../scrape/index.ts';
import { type Db, openDb } from '../../../../tsdb/index.ts';

export const QUEUE: QueueConfig = {
  capacity: 1000,
  shardsMin: 1,
  shardsMax: 4,
  samplesPerSendMax: 100,
  sendDeadlineMs: 20,
  backoffMinMs: 5,
  backoffMaxMs: 20,
  retriesTooMany: false,
  sampleAgeLimitMs: 0,
};

export class SenderHarness {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'narthex-sender-'));
  db: Db;
  writer: RemoteWriter;
  #isFirst = true;

  constructor(logsMetadata = false) {
    this.db = this.#open(logsMetadata);
    this.writer = this.#createWriter();
  }

  async configure(
    queues: readonly RemoteWriteConfig[],
    externalLabels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const end = this.db.logPosition;
    const progressBefore = end.segmentIndex + (this.#isFirst ? 0 : 1);
    this.#isFirst = false;
    await this.writer.configure({ queues, externalLabels, end, progressBefore });
  }

  /** One commit of floats. */
  append(
    samples: readonly (readonly [labels: Record<string, string>, t: number, v: number])[],
  ): void {
    const appender = this.db.appender();
    const count = samples.length;
    appender.appendSamples(
      {
        count,
        refs: Float64Array.from(samples, ([l]) => appender.series(Labels.fromObject(l))),
        timestampsMs: Float64Array.from(samples, ([, t]) => t),
        values: Float64Array.from(samples, ([, , v]) => v),
      },
      new Uint8Array(count),
    );
    appender.commit();
  }

  appendOther(
    labels: Record<string, string>,
    t: number,
    other: {
      readonly histogram?: Histogram | FloatHistogram;
      readonly exemplar?: Exemplar;
      readonly metadata?: MetricMetadata;
    },
  ): void {
    const appender = this.db.appender();
    const ref: SeriesRef = appender.series(Labels.fromObject(labels));
    if (other.metadata !== undefined) appender.updateMetadata(ref, other.metadata);
    if (other.histogram !== undefined) appender.appendHistogram(ref, t, other.histogram);
    if (other.exemplar !== undefined) appender.appendExemplar(ref, other.exemplar);
    appender.commit();
  }

  /** The value of a metric of the first queue that is there; `reason` for dropped ones. */
  metric(name: string, label = ''): number {
    const family = this.writer
      .metrics()
      .find((f) => f.name === `prometheus_remote_storage_${name}`);
    const sample = family?.samples.find(({ labels }) => label === '' || labels.includes(label));
    return sample?.value ?? 0;
  }

  /** Another run of the server; what was not sent yet is for the next one. */
  async restart(): Promise<void> {
    await this.db.close();
    await this.writer.stop();
    this.db = this.#open(false);
    this.#isFirst = true;
    this.writer = this.#createWriter();
  }

  async remove(): Promise<void> {
    await this.writer.stop();
    await this.db.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #open(logsMetadata: boolean): Db {
    return openDb({
      directory: this.directory,
      clock: REAL_CLOCK,
      exemplarCountMax: 100,
      usesLockFile: false,
      logsMetadata,
    });
  }

  #createWriter(): RemoteWriter {
    return new RemoteWriter({
      dataDirectory: this.directory,
      userAgent: 'test/1',
      clock: REAL_CLOCK,
      logger: SILENT_LOGGER,
      flushDeadlineMs: 2000,
    });
  }
}

export function remoteConfig(
  url: string,
  changes: Partial<RemoteWriteConfig> = {},
  queue: Partial<QueueConfig> = {},
): RemoteWriteConfig {
  return {
    name: 'test',
    identity: url,
    url,
    version: 1,
    timeoutMs: 2000,
    headers: {},
    relabelConfigs: [],
    sendsExemplars: true,
    sendsHistograms: true,
    httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
    cloudAuth: null,
    metadata: null,
    ...changes,
    queue: { ...QUEUE, ...queue },
  };
}
