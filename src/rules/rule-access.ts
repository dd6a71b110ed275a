/** The rules' way to the threads: questions to query workers, samples to the writer. */
import { Labels, METRIC_NAME } from '../../model/index.ts';
import type { Queries } from '../queries.ts';
import type { IngestClient } from '../threads/ingest-client.ts';
import type { RuleQueries, RuleSink } from './rule-ports.ts';

const unflatten = (flats: readonly (readonly string[])[]) =>
  flats.map((flat) => Labels.fromSorted(flat));

export function ruleQueries(queries: Queries): RuleQueries {
  return {
    async vector(query, timeMs, signal, group) {
      const columns = await queries.ruleVector({ query, timeMs }, signal, group);
      const { labels, values, histograms } = columns;
      return { labels: unflatten(labels), values, histograms };
    },
    async latest({ metric, alertName, minMs, maxMs }, signal) {
      const equal = { [METRIC_NAME]: metric, alertname: alertName };
      const { labels, ...columns } = await queries.latest({ equal, minMs, maxMs }, signal);
      return { ...columns, labels: unflatten(labels) };
    },
  };
}

export function ruleSink(ingest: IngestClient): RuleSink {
  return {
    append: ({ labels, ended, ...columns }) =>
      ingest.call('appendRules', {
        ...columns,
        labels: labels.map(({ flat }) => flat),
        ended: ended.map(({ flat }) => flat),
      }),
  };
}
