/** Queries for a first visit, built only from metrics that this server really has. Pure. */
import { type MetadataByName, metadataOf } from '../../api/metric-metadata.ts';

export type Example = {
  title: string;
  text: string;
  expr: string;
  tab: 'graph' | 'table';
};

type Recipe = (names: readonly string[], metadata: MetadataByName) => Example | undefined;

/**
 * The first name that fits the earliest pattern. Patterns go from what people call their own
 * services' metrics to what the server says about itself.
 */
function pick(names: readonly string[], patterns: readonly RegExp[]): string | undefined {
  for (const pattern of patterns) {
    const found = names.find((name) => pattern.test(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A server's own metrics are everywhere; a service's are what people came for. */
const OWN = /^(?:prometheus_|promhttp_|go_|net_conntrack_|scrape_)/;
const foreignFirst = (names: readonly string[]) => [
  ...names.filter((name) => !OWN.test(name)),
  ...names.filter((name) => OWN.test(name)),
];

const RECIPES: readonly Recipe[] = [
  (names) =>
    names.includes('up')
      ? {
          title: 'What is up?',
          text: 'One line per job: how many of its targets answer.',
          expr: 'sum by (job) (up)',
          tab: 'table',
        }
      : undefined,

  (names, metadata) => {
    const counter = pick(
      foreignFirst(names).filter((name) => {
        const type = metadataOf(metadata, name)?.type;
        return type === undefined || type === 'counter' || type === 'unknown';
      }),
      [/^(?:http|grpc|flask_http|app)_.*requests?_total$/, /requests?_total$/, /_total$/],
    );
    return counter === undefined
      ? undefined
      : {
          title: 'Requests per second',
          text: 'How fast a counter grows, per job.',
          expr: `sum by (job) (rate(${counter}[5m]))`,
          tab: 'graph',
        };
  },

  (names) => {
    const buckets = pick(foreignFirst(names), [
      /(?:request|response|http).*(?:duration|latency).*_bucket$/,
      /(?:duration|latency).*_bucket$/,
      /_seconds_bucket$/,
      /_bucket$/,
    ]);
    return buckets === undefined
      ? undefined
      : {
          title: '95th percentile latency',
          text: '19 of 20 requests were answered within this time.',
          expr: `histogram_quantile(0.95, sum by (le) (rate(${buckets}[5m])))`,
          tab: 'graph',
        };
  },

  (names) => {
    const memory = pick(names, [
      /^process_resident_memory_bytes$/,
      /^node_memory_MemAvailable_bytes$/,
      /memory.*bytes$/,
    ]);
    return memory === undefined
      ? undefined
      : {
          title: 'Memory in use',
          text: 'One line per process; a gauge is drawn as it is.',
          expr: memory,
          tab: 'graph',
        };
  },

  (names) =>
    names.includes('process_cpu_seconds_total')
      ? {
          title: 'CPU in use',
          text: 'How many cores each process keeps busy.',
          expr: 'rate(process_cpu_seconds_total[5m])',
          tab: 'graph',
        }
      : undefined,

  (names) =>
    names.length === 0
      ? undefined
      : {
          title: 'Largest metrics',
          text: 'The ten metric names with the most series.',
          expr: 'topk(10, count by (__name__) ({__name__!=""}))',
          tab: 'table',
        },
];

export function buildExamples(names: readonly string[], metadata: MetadataByName): Example[] {
  return RECIPES.map((recipe) => recipe(names, metadata)).filter((one) => one !== undefined);
}
