import { ApiError } from '../api-error.ts';
import { unescapeName } from '../exposition/index.ts';
import type { Form } from '../form.ts';
import { limitParameter, namingParameter, requireWellFormed, timeRange } from '../params.ts';
import type { SelectionRequest } from '../ports.ts';
import type { JsonRoute } from '../route.ts';
import { END, LIMIT, MATCH, REQUIRED_MATCH, START } from './parameters.ts';

function selection(form: Form): SelectionRequest {
  const limit = limitParameter(form);
  return { ...timeRange(form), selectors: form.all('match[]'), limit };
}

/** GET, POST /api/v1/labels: sorted names. Source: Prometheus HTTP API, getting label names. */
export const labelNames: JsonRoute = {
  path: '/labels',
  methods: ['GET', 'POST'],
  doc: {
    id: 'labels',
    tag: 'labels',
    summary: 'List label names',
    parameters: [START, END, MATCH, LIMIT],
    body: 'Labels',
  },
  fromBlocks: true,
  handle({ form, signal }, { ports }) {
    return ports.labels.names(selection(form), signal);
  },
};

/** GET /api/v1/label/<name>/values: sorted values. Source: the same, querying label values. */
export const labelValues: JsonRoute = {
  path: '/label/:name/values',
  methods: ['GET'],
  doc: {
    id: 'label-values',
    tag: 'labels',
    summary: 'List values of a label',
    parameters: [
      {
        name: 'name',
        kind: 'text',
        description: 'The label; names beyond letters, digits and underscores go as `U__…`.',
        isRequired: true,
        inPath: true,
        example: 'job',
      },
      START,
      END,
      MATCH,
      LIMIT,
    ],
    body: 'LabelValues',
  },
  fromBlocks: true,
  handle({ form, request, signal }, { ports }) {
    const name = unescapeName((request.params as { name: string }).name);
    if (name === '' || !name.isWellFormed()) {
      throw new ApiError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
    }
    return ports.labels.values({ ...selection(form), name }, signal);
  },
};

/** GET, POST /api/v1/series: label sets. Source: the same, finding series by label matchers. */
export const series: JsonRoute = {
  path: '/series',
  methods: ['GET', 'POST'],
  doc: {
    id: 'series',
    tag: 'series',
    summary: 'Find series by selectors',
    parameters: [START, END, REQUIRED_MATCH, LIMIT],
    body: 'Series',
  },
  fromBlocks: true,
  handle({ form, signal }, { ports }) {
    requireWellFormed(form);
    if (form.all('match[]').length === 0) {
      throw new ApiError('bad_data', 'no match[] parameter provided');
    }
    return namingParameter('match[]', ports.series.series(selection(form), signal));
  },
};
