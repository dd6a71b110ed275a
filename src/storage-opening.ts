/**
 * Storage is opened as soon as flags and configuration say how, while most of the server's code is
 * still being loaded: reading the log takes longest of all that a start does.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { SharedDb } from '../tsdb/index.ts';
import { agentOptions } from './agent.ts';
import { type Config, loadConfig } from './config/index.ts';
import { dataDirectoryOf } from './data-directory.ts';
import { databaseOptions, readsStarts } from './database-options.ts';
import { chooseFeatures, type Feature, type FlagValues } from './flags.ts';
import { locateWeb, type WebLocation } from './listen-address.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import type { PlainDbOptions } from './threads/ingest.ts';
import { PROMETHEUS_VERSION } from './version.ts';

export const USER_AGENT = `Prometheus/${PROMETHEUS_VERSION}`;

export type ReplayReading = Pick<PlainDbOptions, 'readAhead'>;

export type OpeningSetting = {
  readonly values: FlagValues;
  readonly features: ReadonlySet<Feature>;
  readonly location: WebLocation;
  readonly config: Config;
};

export type StorageOpening = {
  /** What the storage was opened with. */
  readonly config: Config;
  /** Whether there was no log before. */
  readonly isNew: boolean;
  /** Whether the log is so large that a second thread reads it. */
  readonly isLong: boolean;
  /** Settles when the log is read. */
  readonly opened: Promise<unknown>;
  /** The same; null for an agent, which nobody can ask about samples. */
  readonly shared: Promise<SharedDb> | null;
};

/**
 * @param reading  how the log is read, when not by the ingest thread
 * @throws ValueError when configuration and features do not go together
 */
export function openStorage(
  setting: OpeningSetting,
  ingest: IngestClient,
  reading: ReplayReading = {},
): StorageOpening {
  const { values, features, location, config } = setting;
  const directory = dataDirectoryOf(values);
  const isNew = !existsSync(path.join(directory, 'wal'));
  const scrape = {
    userAgent: USER_AGENT,
    timestampToleranceMs: values['scrape.adjust-timestamps']
      ? values['scrape.timestamp-tolerance']
      : 0,
    appendMetadata: features.has('metadata-wal-records'),
    readsStarts: readsStarts(features),
    synthesizesStarts: features.has('st-synthesis'),
    externalHost: location.externalUrl.host,
    listenPort: /\d+$/.exec(values['web.listen-address'][0]!)?.[0] ?? '',
  };
  const shared = values.agent
    ? null
    : ingest.call('open', {
        db: { ...databaseOptions(config, values, features, directory), ...reading },
        scrape,
      });
  const opened =
    shared ??
    ingest.call('openAgent', { db: agentOptions(config, values, features, directory), scrape });
  // That it failed is told by whoever waits for it, which may be later.
  opened.catch(() => {});
  const isLong = reading.readAhead !== undefined;
  return { config, isNew, isLong, opened, shared };
}

/** Null when something is wrong with flags or configuration; what, is found out and told later. */
export function openStorageEarly(
  values: FlagValues,
  ingest: IngestClient,
  reading: ReplayReading,
): StorageOpening | null {
  try {
    const { names: features } = chooseFeatures(values['enable-feature']);
    const location = locateWeb(
      values['web.external-url'],
      values['web.route-prefix'],
      values['web.listen-address'],
    );
    const config = loadConfig(values['config.file'], {
      isAgent: values.agent,
      prefersProtobuf: readsStarts(features),
    });
    return openStorage({ values, features, location, config }, ingest, reading);
  } catch {
    return null;
  }
}
