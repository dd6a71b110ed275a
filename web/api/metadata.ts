import { plainInteger } from '../params.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';

/** GET /api/v1/metadata: type, unit and help by metric. Source: Prometheus HTTP API. */
export const metricMetadata: JsonRoute = {
  path: '/metadata',
  methods: ['GET'],
  doc: {
    id: 'metadata',
    tag: 'metadata',
    summary: 'Describe metrics',
    parameters: [
      {
        name: 'limit',
        kind: 'integer',
        description: 'At most so many metrics.',
        example: 100,
      },
      {
        name: 'limit_per_metric',
        kind: 'integer',
        description: 'At most so many descriptions of one metric.',
        example: 10,
      },
      {
        name: 'metric',
        kind: 'text',
        description: 'Only this metric.',
        example: 'http_requests_total',
      },
    ],
    body: 'Metadata',
  },
  inAgentMode: true,
  async handle({ form, signal }, { ports }) {
    const limit = plainInteger(form, 'limit', -1);
    const limitPerMetric = plainInteger(form, 'limit_per_metric', -1);
    const metric = form.first('metric');
    const found = await ports.metadata.metrics(
      // Zero per metric means no limit here, but zero metrics means none: so it is in 3.14.
      { metric, limit, limitPerMetric: limitPerMetric === 0 ? -1 : limitPerMetric },
      signal,
    );
    const members = found.map(({ metric: name, entries }) => {
      const list = entries.map(({ type, unit, help }) => ({ type, unit, help }));
      return `${JSON.stringify(name)}:${JSON.stringify(list)}`;
    });
    return successJson(`{${members.join(',')}}`);
  },
};
