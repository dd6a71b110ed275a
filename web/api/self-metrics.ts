/**
 * The server's figures about itself as JSON, in the form that protobuf's JSON mapping gives a
 * `io.prometheus.client.MetricFamily`: 64-bit integers as strings, special floats as words, what is
 * not set left out. Source: Prometheus HTTP API, self metrics.
 */
import {
  compareText,
  compileRegex,
  messageOf,
  type MetricFamily,
  type MetricSample,
} from '../../model/index.ts';
import { ApiError } from '../api-error.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';

/** GET /api/v1/status/self_metrics */
export const selfMetrics: JsonRoute = {
  path: '/status/self_metrics',
  methods: ['GET'],
  doc: {
    id: 'status-self-metrics',
    tag: 'status',
    summary: "Show the server's own metrics",
    parameters: [
      {
        name: 'metric_name_pattern',
        kind: 'text',
        description: 'Regular expression that names have to match as a whole.',
        example: 'prometheus_tsdb_.*',
      },
    ],
    body: 'StatusSelfMetrics',
  },
  inAgentMode: true,
  async handle({ form, signal }, { ports }) {
    const matches = namePattern(form.first('metric_name_pattern'));
    const families = await ports.ownMetrics.families(signal);
    const shown = families.filter(({ name, samples }) => samples.length > 0 && matches(name));
    return successJson(JSON.stringify(shown.map(familyJson)));
  },
};

function namePattern(pattern: string): (name: string) => boolean {
  if (pattern === '') return () => true;
  try {
    // Errors show how it is used: as a whole.
    const regex = compileRegex(`^(?:${pattern})$`);
    return (name) => regex.test(name);
  } catch (error) {
    throw new ApiError('bad_data', `invalid metric_name_pattern: ${messageOf(error)}`);
  }
}

function familyJson(family: MetricFamily) {
  const { name, help, kind, samples } = family;
  const metric = samples.map((sample) => {
    const label = family.labelNames
      .map((labelName, i) => ({ name: labelName, value: sample.labels[i]! }))
      .sort((a, b) => compareText(a.name, b.name));
    const value = { [kind]: valueJson(family, sample) };
    return label.length > 0 ? Object.assign({ label }, value) : value;
  });
  return { name, help, type: kind.toUpperCase(), metric };
}

function valueJson({ kind, bounds }: MetricFamily, { value, count, parts }: MetricSample) {
  switch (kind) {
    case 'counter':
    case 'gauge':
      return { value: numberJson(value) };
    case 'histogram':
      return {
        sampleCount: String(count ?? 0),
        sampleSum: numberJson(value),
        bucket: bounds.map((upperBound, i) => ({
          cumulativeCount: String(parts?.[i] ?? 0),
          upperBound,
        })),
      };
    case 'summary':
      return {
        sampleCount: String(count ?? 0),
        sampleSum: numberJson(value),
        quantile: bounds.map((quantile, i) => ({ quantile, value: numberJson(parts?.[i] ?? NaN) })),
      };
  }
}

function numberJson(value: number): number | string {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}
