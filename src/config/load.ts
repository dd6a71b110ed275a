/** Configuration file → checked settings, all of it or an error that says where and what. */
import { globSync } from 'node:fs';
import path from 'node:path';
import type { ScrapeConfig } from '../../scrape/index.ts';
import { readConfigText } from './config-text.ts';
import { ConfigDocument } from './document.ts';
import { configFileType, emptyConfigFile, type FileValues, jobsFileType } from './file-shape.ts';
import { expandExternalLabels } from './global-shape.ts';
import { type JsonSchema, withDefinitions } from './json-schema.ts';
import type { Yaml } from './print-yaml.ts';
import { printYaml } from './print-yaml.ts';
import { scrapeConfig, type ScrapeValues } from './scrape-shape.ts';
import { DEFAULT_MAX_EXEMPLARS } from './section-shapes.ts';
import type { RemoteReadConfig } from '../remote/read/read-config.ts';
import type { RemoteWriteConfig } from '../remote/write/write-config.ts';
import { toRemoteRead, toRemoteWrite } from './to-remote-config.ts';
import { toScrapeConfig } from './to-scrape-config.ts';
import { toTracing } from './to-tracing-config.ts';
import type { TracingConfig } from '../tracing/tracing-config.ts';
import { readDocument } from './type.ts';

export type LoadOptions = {
  readonly isAgent?: boolean;
  /** Whether jobs that name no protocol ask for protobuf first. */
  readonly prefersProtobuf?: boolean;
  /** For `external_labels`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

/** How long and how much is kept, as far as the file says; null where it does not. */
export type RetentionSettings = {
  readonly timeMs: number;
  readonly sizeBytes: number;
  readonly percentage: number;
};

export type Config = {
  /** As named by the user. */
  readonly file: string;
  /** The file's own values, in its own spelling. */
  readonly values: FileValues;
  /** All jobs: those of the file and those of `scrape_config_files`. */
  readonly jobs: readonly ScrapeConfig[];
  /** The same, in the file's spelling. */
  readonly jobValues: readonly ScrapeValues[];
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly remoteWrite: readonly RemoteWriteConfig[];
  readonly remoteRead: readonly RemoteReadConfig[];
  /** Null: no traces. */
  readonly tracing: TracingConfig | null;
  readonly retention: RetentionSettings | null;
  readonly outOfOrderWindowMs: number;
  /** A part of the series in memory; 0: stale series are not compacted early. */
  readonly staleCompactionThreshold: number;
  readonly exemplarCountMax: number;
  /** Empty: as --enable-feature says. */
  readonly floatEncoding: string;
  readonly warnings: readonly string[];
  /** Files whose change is a reason to reload. */
  readonly watchedFiles: readonly string[];
};

/** @throws ConfigError */
export function loadConfig(file: string, options: LoadOptions = {}): Config {
  const text = readConfigText(file);
  const document = new ConfigDocument(text, file);
  const values = readDocument(
    configFileType(options.isAgent === true, options.prefersProtobuf),
    document,
    emptyConfigFile,
  );
  const jobValues = [...values.scrape_configs];
  const names = new Map(values.scrape_configs.map((job) => [job.job_name, file]));
  const jobFiles = values.scrape_config_files.flatMap(matchingFiles);
  for (const jobFile of jobFiles) {
    const jobsDocument = new ConfigDocument(readConfigText(jobFile), jobFile);
    const type = jobsFileType(values.global, names);
    const { scrape_configs: more } = readDocument(type, jobsDocument, () => type.initial());
    jobValues.push(...more);
  }

  const { labels, missing } = expandExternalLabels(
    values.global.external_labels,
    options.environment ?? process.env,
  );
  const tsdb = values.storage.tsdb;
  const retention = tsdb?.retention ?? null;
  return {
    file,
    values: { ...values, global: { ...values.global, external_labels: labels } },
    jobs: jobValues.map(toScrapeConfig),
    jobValues,
    externalLabels: labels,
    remoteWrite: values.remote_write.map(toRemoteWrite),
    remoteRead: values.remote_read.map(toRemoteRead),
    tracing: toTracing(values.tracing),
    retention: retention && {
      timeMs: retention.time,
      sizeBytes: retention.size,
      percentage: retention.percentage,
    },
    outOfOrderWindowMs: tsdb?.out_of_order_time_window ?? 0,
    staleCompactionThreshold: tsdb?.stale_series_compaction_threshold ?? 0,
    exemplarCountMax: values.storage.exemplars?.max_exemplars ?? DEFAULT_MAX_EXEMPLARS,
    floatEncoding: tsdb?.chunk_encoding.floats ?? '',
    warnings: missing.map((name) => `Empty environment variable ${name} in external_labels`),
    watchedFiles: [file, ...jobFiles, ...values.rule_files.flatMap(matchingFiles)],
  };
}

/** The files that `rule_files` names at this moment, each once. */
export function ruleFilesOf({ values }: Config): readonly string[] {
  return [...new Set(values.rule_files.flatMap(matchingFiles))];
}

function matchingFiles(pattern: string): string[] {
  // Prometheus's patterns know no "**" and no braces; escape what only Node knows.
  const files = globSync(pattern.replaceAll(/[{}]/g, '\\$&'));
  return files.map((found) => path.normalize(found)).sort();
}

/** The file's shape, for editors. */
export function configSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of a Prometheus-compatible server',
    ...withDefinitions(configFileType(false).schema()),
  };
}

/** What is in force by flags where the file says nothing. */
export type FlagDefaults = {
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly exemplarStorage: boolean;
};

/** What `/api/v1/status/config` shows: everything that is in force, secrets masked. */
export function printConfig(config: Config, flags: FlagDefaults): string {
  const { values } = config;
  const tsdb = values.storage.tsdb ?? NO_TSDB;
  const retention = tsdb.retention ?? {
    time: flags.retentionMs,
    size: flags.retentionBytes,
    percentage: 0,
  };
  const byFlag = flags.exemplarStorage ? { max_exemplars: DEFAULT_MAX_EXEMPLARS } : null;
  const exemplars = values.storage.exemplars ?? byFlag;
  const storage = { tsdb: { ...tsdb, retention }, exemplars };
  const printed = configFileType(false).print({ ...values, storage });
  return printYaml(printed as ReadonlyMap<string, Yaml>);
}

/** The part of one job, as `printConfig` shows it; null when there is no such job. */
export function printJob(config: Config, jobName: string): string | null {
  const job = config.jobValues.find(({ job_name }) => job_name === jobName);
  if (job === undefined) return null;
  return printYaml(scrapeConfig.print(job) as ReadonlyMap<string, Yaml>);
}

const NO_TSDB: NonNullable<FileValues['storage']['tsdb']> = {
  outofordertimewindow: 0,
  out_of_order_time_window: 0,
  stale_series_compaction_threshold: 0,
  chunk_encoding: { floats: '' },
  retention: null,
};
