/** Feeds the editor's completion from our own API hooks, so that both share one cache. */
import type { PrometheusClient } from '@prometheus-io/codemirror-promql';
import { apiGet } from '../../api/client.ts';
import { fetchLabelNames, fetchLabelValues, fetchSeries } from '../../api/labels.ts';
import { fetchMetadata } from '../../api/metadata.ts';
import { queryClient } from '../../api/query-client.ts';
import { selectorText } from '../series-text.ts';

const selectorOf = (metric: string | undefined) =>
  metric === undefined || metric === '' ? undefined : selectorText(metric);

/** Without completion the editor still works, so a failure is an empty list. */
async function orEmpty<T>(asked: Promise<T>, empty: T): Promise<T> {
  try {
    return await asked;
  } catch {
    return empty;
  }
}

export const completionClient: PrometheusClient = {
  labelNames: (metric) => orEmpty(fetchLabelNames(selectorOf(metric)), []),
  labelValues: (label, metric) => orEmpty(fetchLabelValues(label, selectorOf(metric)), []),
  metricNames: () => orEmpty(fetchLabelValues('__name__'), []),
  metricMetadata: () => orEmpty(fetchMetadata(), {}),
  series: async (metric) => {
    const series = await orEmpty(fetchSeries(selectorText(metric)), []);
    return series.map((labels) => new Map(Object.entries(labels)));
  },
  flags: () =>
    orEmpty(
      queryClient.fetchQuery({
        queryKey: ['status/flags'],
        queryFn: ({ signal }) =>
          apiGet<Record<string, string>>('status/flags', {}, signal).then((answer) => answer.data),
      }),
      {},
    ),
};
