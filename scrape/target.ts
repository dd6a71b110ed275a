/**
 * From a discovered label set to a target: defaults filled in, relabelled, checked, given a URL.
 * Source: Prometheus configuration documentation, `<scrape_config>` and `<relabel_config>`.
 */
import {
  formatDuration,
  Labels,
  LabelsBuilder,
  messageOf,
  parseDuration,
  quoteText,
  type Relabeler,
  ValueError,
} from '../model/index.ts';
import type { LabelRecord, ScrapeConfig, TargetGroup } from './config.ts';
import { encodeQuery, escapeHost, escapePath } from './target-url.ts';

/** A target that is to be scraped. */
export type Target = {
  /** Tells one target of a pool from another: equal keys are one target. */
  readonly key: string;
  /** Before relabelling, with the defaults of the job. */
  readonly discoveredLabels: Labels;
  /** After relabelling, without those that begin with `__`. */
  readonly labels: Labels;
  readonly url: string;
  /** The socket in the file system that it listens on, in place of an address; empty for none. */
  readonly unixSocket: string;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  /** As in the labels. */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
  readonly scrapeNativeHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
};

export type TargetOutcome =
  | { readonly kind: 'target'; readonly target: Target }
  /** Relabelling drops it. */
  | { readonly kind: 'dropped'; readonly discoveredLabels: Labels }
  | { readonly kind: 'bad'; readonly problem: string };

const ADDRESS = '__address__';
const SCHEME = '__scheme__';
const METRICS_PATH = '__metrics_path__';
const SCRAPE_INTERVAL = '__scrape_interval__';
const SCRAPE_TIMEOUT = '__scrape_timeout__';
const NATIVE_HISTOGRAMS = '__scrape_native_histograms__';
const CONVERT_CLASSIC = '__convert_classic_histograms_to_nhcb__';
const ALWAYS_CLASSIC = '__always_scrape_classic_histograms__';
const UNIX_SOCKET = '__unix_socket__';
const PARAM_PREFIX = '__param_';

/** What becomes of each target of a group, in order. */
export function targetsOfGroup(
  group: TargetGroup,
  config: ScrapeConfig,
  relabeler: Relabeler,
): TargetOutcome[] {
  return group.targets.map((labels) => {
    try {
      return targetOf({ ...group.labels, ...labels }, config, relabeler);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      return { kind: 'bad', problem: error.message };
    }
  });
}

/** The labels that relabelling sees: those that were found, and the defaults of the job. */
export function discoveredLabelsOf(found: LabelRecord, config: ScrapeConfig): Labels {
  const builder = new LabelsBuilder(Labels.fromObject(found));
  const setDefault = (name: string, value: string) => {
    if (builder.get(name) === '') builder.set(name, value);
  };
  setDefault('job', config.jobName);
  setDefault(SCRAPE_INTERVAL, formatDuration(config.scrapeIntervalMs));
  setDefault(SCRAPE_TIMEOUT, formatDuration(config.scrapeTimeoutMs));
  setDefault(METRICS_PATH, config.metricsPath);
  setDefault(SCHEME, config.scheme);
  setDefault(NATIVE_HISTOGRAMS, String(config.scrapeNativeHistograms));
  setDefault(CONVERT_CLASSIC, String(config.convertClassicHistogramsToNhcb));
  setDefault(ALWAYS_CLASSIC, String(config.alwaysScrapeClassicHistograms));
  for (const [name, values] of Object.entries(config.params)) {
    if (values.length > 0) setDefault(PARAM_PREFIX + name, values[0]!);
  }
  return builder.build();
}

/** @throws ValueError when no target can be made of the labels */
function targetOf(found: LabelRecord, config: ScrapeConfig, relabeler: Relabeler): TargetOutcome {
  const discoveredLabels = discoveredLabelsOf(found, config);
  const relabelled = relabeler.apply(discoveredLabels);
  if (relabelled === null) return { kind: 'dropped', discoveredLabels };

  const address = relabelled.get(ADDRESS);
  if (address === '') throw new ValueError('no address');
  if (address.includes('/')) throw new ValueError(`${quoteText(address)} is not a valid hostname`);
  const scrapeInterval = relabelled.get(SCRAPE_INTERVAL);
  const scrapeTimeout = relabelled.get(SCRAPE_TIMEOUT);
  const scrapeIntervalMs = durationOf(scrapeInterval, 'scrape interval');
  const scrapeTimeoutMs = durationOf(scrapeTimeout, 'scrape timeout');
  if (scrapeTimeoutMs > scrapeIntervalMs) {
    throw new ValueError(
      'scrape timeout cannot be greater than scrape interval ' +
        `(${quoteText(scrapeTimeout)} > ${quoteText(scrapeInterval)})`,
    );
  }
  const flag = (name: string, words: string, byDefault: boolean) =>
    booleanOf(relabelled.get(name), words, byDefault);

  const builder = new LabelsBuilder(relabelled);
  if (relabelled.get('instance') === '') builder.set('instance', address);
  for (const name of builder.names()) if (name.startsWith('__')) builder.delete(name);
  const labels = builder.build();
  const url = urlOf(relabelled, config);
  const unixSocket = relabelled.get(UNIX_SOCKET);
  const flags = {
    scrapeNativeHistograms: flag(
      NATIVE_HISTOGRAMS,
      'scrape native histograms',
      config.scrapeNativeHistograms,
    ),
    convertClassicHistogramsToNhcb: flag(
      CONVERT_CLASSIC,
      'convert classic histograms to nhcb',
      config.convertClassicHistogramsToNhcb,
    ),
    alwaysScrapeClassicHistograms: flag(
      ALWAYS_CLASSIC,
      'always scrape classic histograms',
      config.alwaysScrapeClassicHistograms,
    ),
  };
  // Whatever a target is scraped by tells it apart, too: a changed interval makes a new one.
  const parts = [
    labels.key,
    url,
    unixSocket,
    scrapeInterval,
    scrapeTimeout,
    ...Object.values(flags),
  ];
  const target: Target = {
    key: parts.join('\ud800\ud800'),
    discoveredLabels,
    labels,
    url,
    unixSocket,
    scrapeIntervalMs,
    scrapeTimeoutMs,
    scrapeInterval,
    scrapeTimeout,
    ...flags,
  };
  return { kind: 'target', target };
}

function durationOf(text: string, what: string): number {
  let durationMs: number;
  try {
    durationMs = parseDuration(text);
  } catch (error) {
    throw new ValueError(`error parsing ${what}: ${messageOf(error)}`, { cause: error });
  }
  if (durationMs === 0) throw new ValueError(`${what} cannot be 0`);
  return durationMs;
}

function booleanOf(text: string, what: string, byDefault: boolean): boolean {
  if (text === '') return byDefault;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  const problem = `strconv.ParseBool: parsing ${quoteText(text)}: invalid syntax`;
  throw new ValueError(`error parsing ${what}: ${problem}`);
}

function urlOf(labels: Labels, config: ScrapeConfig): string {
  const params = new Map<string, string[]>();
  for (const [name, values] of Object.entries(config.params)) params.set(name, [...values]);
  for (const [label, value] of labels) {
    if (!label.startsWith(PARAM_PREFIX)) continue;
    const name = label.slice(PARAM_PREFIX.length);
    const values = params.get(name);
    if (values !== undefined && values.length > 0) values[0] = value;
    else params.set(name, [value]);
  }
  const scheme = labels.get(SCHEME);
  const path = escapePath(labels.get(METRICS_PATH));
  const query = encodeQuery(params);
  const slash = path === '' || path.startsWith('/') ? '' : '/';
  const authority = `//${escapeHost(labels.get(ADDRESS))}`;
  return `${scheme === '' ? '' : `${scheme}:`}${authority}${slash}${path}${query && `?${query}`}`;
}
