/**
 * GET, POST /api/v1/search/…: experimental in 3.14 and behind `--enable-feature=search-api`, which
 * this server does not have yet. They are described, and answer as 3.14 does without that feature.
 * Source: Prometheus HTTP API, searching metric names, label names, and label values.
 */
import { ApiError } from '../api-error.ts';
import type { JsonRoute, Parameter } from '../route.ts';
import { END, MATCH, START } from './parameters.ts';

const COMMON: readonly Parameter[] = [
  MATCH,
  {
    name: 'search[]',
    kind: 'text',
    description: 'Text to look for; results match any of them.',
    isRepeated: true,
    example: 'http',
  },
  {
    name: 'fuzz_threshold',
    kind: 'integer',
    description: 'How alike a result has to be, 0 to 100.',
    example: 50,
  },
  {
    name: 'fuzz_alg',
    kind: 'text',
    description: 'How likeness is measured.',
    choices: ['subsequence', 'jarowinkler'],
    example: 'subsequence',
  },
  {
    name: 'case_sensitive',
    kind: 'boolean',
    description: 'Whether capitals matter.',
    example: false,
  },
  {
    name: 'sort_by',
    kind: 'text',
    description: 'The order of results.',
    choices: ['alpha', 'score'],
    example: 'score',
  },
  {
    name: 'sort_dir',
    kind: 'text',
    description: 'The direction of the order `alpha`.',
    choices: ['asc', 'dsc'],
    example: 'asc',
  },
  { name: 'include_score', kind: 'boolean', description: 'Adds the likeness.', example: false },
  START,
  END,
  { name: 'limit', kind: 'integer', description: 'At most so many results.', example: 100 },
  { name: 'batch_size', kind: 'integer', description: 'Results per line.', example: 100 },
];

function disabled(name: string, more: readonly Parameter[]): JsonRoute {
  return {
    path: `/search/${name}`,
    methods: ['GET', 'POST'],
    doc: {
      id: `search-${name.replace('_', '-')}`,
      tag: 'labels',
      summary: `Search ${name.replace('_', ' ')}; not available on this server`,
      parameters: [...more, ...COMMON],
      answerType: 'application/x-ndjson',
    },
    inAgentMode: true,
    handle() {
      throw new ApiError('unavailable', 'search API disabled');
    },
  };
}

export const searchMetricNames = disabled('metric_names', [
  {
    name: 'include_metadata',
    kind: 'boolean',
    description: 'Adds type, unit and help.',
    example: true,
  },
]);
export const searchLabelNames = disabled('label_names', []);
export const searchLabelValues = disabled('label_values', [
  {
    name: 'label',
    kind: 'text',
    description: 'Whose values to search.',
    isRequired: true,
    example: 'job',
  },
]);
