/** Figures of the running server, read from its own /metrics. */
import type { ReactNode } from 'react';
import { useOwnMetrics } from '../../api/own-metrics.ts';
import { ratePerSecond } from '../../api/own-samples.ts';
import { useNowMs } from '../../parts/ago.tsx';
import { byteSize, compactNumber, wholeNumber } from '../../parts/number-text.ts';
import { describeDurationMs } from '../../parts/time/duration.ts';
import classes from './status.module.css';

const STORAGE_METRICS = [
  'prometheus_tsdb_storage_blocks_bytes',
  'prometheus_tsdb_wal_storage_size_bytes',
  'prometheus_tsdb_head_chunks_storage_size_bytes',
];

export function ResourceTiles({ startTime }: { startTime: string | undefined }) {
  const { data } = useOwnMetrics();
  const valueOf = (name: string) => data?.now.byName.get(name);
  const rateOf = (name: string) => data && ratePerSecond(data.now, data.before, name);
  const storageSizes = STORAGE_METRICS.map(valueOf).filter((size) => size !== undefined);

  return (
    <div className={classes.tiles}>
      <Tile name="Up for">{startTime !== undefined && <Uptime startTime={startTime} />}</Tile>
      <Tile name="CPU" hint="cores busy, over five seconds">
        {format(rateOf('process_cpu_seconds_total'), (cores) => cores.toFixed(2))}
      </Tile>
      <Tile name="Memory" hint="resident">
        {format(valueOf('process_resident_memory_bytes'), byteSize)}
      </Tile>
      <Tile name="On disk" hint="blocks and log">
        {storageSizes.length > 0 && byteSize(storageSizes.reduce((sum, size) => sum + size, 0))}
      </Tile>
      <Tile name="Series in memory">
        {format(valueOf('prometheus_tsdb_head_series'), wholeNumber)}
      </Tile>
      <Tile name="Samples per second">
        {format(rateOf('prometheus_tsdb_head_samples_appended_total'), (rate) =>
          compactNumber(rate, 3),
        )}
      </Tile>
    </div>
  );
}

function format(value: number | undefined, text: (value: number) => string): string | undefined {
  return value === undefined ? undefined : text(value);
}

function Tile({ name, hint, children }: { name: string; hint?: string; children: ReactNode }) {
  return (
    <div className={classes.tile} data-tip={hint}>
      <div className={classes.tileName}>{name}</div>
      <div className={classes.tileValue}>{children || <span className="nx-dim">–</span>}</div>
    </div>
  );
}

function Uptime({ startTime }: { startTime: string }) {
  return describeDurationMs(Math.max(1000, useNowMs() - Date.parse(startTime)));
}
