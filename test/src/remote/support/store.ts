/** A database in a folder that goes away, with a receiver in front of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type Labels,
  type MatchOperator,
  Matcher,
  Registry,
  SampleBuffer,
  SILENT_LOGGER,
  SimulatedClock,
} from '../../../../model/index.ts';
import { RemoteWriteReceiver } from '../../../../src/remote/receive.ts';
import type { WriteReport, WriteVersion } from '../../../../src/remote/write-batch.ts';
import { type Db, type DbOptions, openDb } from '../../../../tsdb/index.ts';
import { encodeV1, encodeV2, packed, type SentSeries } from './messages.ts';

/** The time at which everything here happens. */
export const NOW_MS = Date.UTC(2026, 0, 1, 12);

export type StoredSample = readonly [timestampMs: number, value: number | string];

export class RemoteStore {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'narthex-remote-'));
  readonly db: Db;
  readonly receiver: RemoteWriteReceiver;
  readonly registry = new Registry();

  constructor(options: Partial<DbOptions> = {}, nowMs = NOW_MS) {
    const clock = new SimulatedClock(nowMs);
    this.db = openDb({
      directory: this.#directory,
      clock,
      exemplarCountMax: 1000,
      ...options,
    });
    this.receiver = new RemoteWriteReceiver({
      storage: this.db,
      clock,
      logger: SILENT_LOGGER,
      registry: this.registry,
      appendMetadata: true,
    });
  }

  send(version: WriteVersion, series: readonly SentSeries[]): WriteReport {
    const plain = version === 1 ? encodeV1(series) : encodeV2(series);
    return this.receiver.write(version, packed(plain));
  }

  /** Labels as text → samples; histograms as `histogram` and their sum. */
  stored(
    name = '.*',
    operator: MatchOperator = '=~',
    minMs = -1e15,
    maxMs = 1e15,
  ): Record<string, StoredSample[]> {
    const found: Record<string, StoredSample[]> = {};
    this.#read(name, operator, minMs, maxMs, (labels, samples) => {
      const row: StoredSample[] = [];
      for (let i = 0; i < samples.count; i++) {
        const histogram = samples.histograms?.[i] ?? null;
        const value = histogram === null ? samples.values[i]! : `histogram ${histogram.sum}`;
        row.push([samples.timestampsMs[i]!, value]);
      }
      if (row.length > 0) found[labels.toString()] = row;
    });
    return found;
  }

  /** Number of series, with samples or without. */
  get seriesCount(): number {
    return this.db.status(1).head.seriesCount;
  }

  get exemplars(): { series: string; labels: string; value: number }[] {
    const all = [[new Matcher('__name__', '!=', '')]];
    return this.db.exemplars(-1e15, 1e15, all).flatMap(({ series, exemplars }) =>
      exemplars.map(({ labels, value }) => ({
        series: series.toString(),
        labels: labels.toString(),
        value,
      })),
    );
  }

  async remove(): Promise<void> {
    await this.db.close();
    rmSync(this.#directory, { recursive: true });
  }

  #read(
    name: string,
    operator: MatchOperator,
    minMs: number,
    maxMs: number,
    visit: (labels: Labels, samples: SampleBuffer) => void,
  ): void {
    const querier = this.db.querier(minMs, maxMs);
    const samples = new SampleBuffer();
    try {
      const matchers = [new Matcher('__name__', operator, name)];
      const selected = querier.select(matchers, { minMs, maxMs });
      for (const [row, labels] of selected.labels.entries()) {
        selected.read(row, minMs, maxMs, samples);
        visit(labels, samples);
      }
    } finally {
      querier.close();
    }
  }
}
