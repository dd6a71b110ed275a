/** Series and samples like those of a cluster: ten labels, of which two tell most series apart. */
import { Labels } from '../model/index.ts';

export const SCRAPE_MS = 15_000;
export const START_MS = 1_700_000_000_000;
/** Series of one target, committed together. */
export const SERIES_PER_TARGET = 1000;

export function labelsOf(target: number, metric: number): Labels {
  return Labels.fromSorted([
    '__name__',
    `app_metric_${metric % 100}_total`,
    'cluster',
    'eu-west-1',
    'code',
    `${200 + (metric % 5)}`,
    'env',
    'production',
    'handler',
    `/api/v1/handler/${Math.floor(metric / 100)}`,
    'instance',
    `10.0.${target >> 8}.${target & 255}:9100`,
    'job',
    `job-${target % 20}`,
    'method',
    metric % 2 === 0 ? 'GET' : 'POST',
    'namespace',
    `team-${target % 40}`,
    'pod',
    `pod-${target}-7d9f8c6b5d`,
  ]);
}

/** A third stays as it is, a third counts, a third is a measured number. */
export function nextValue(series: number, before: number): number {
  if (series % 3 === 0) return before;
  if (series % 3 === 1) return before + (((series * 7919) ^ before) & 127);
  return Math.round((before * 1.000_1 + ((series * 31) % 17)) * 1000) / 1000;
}

export function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
