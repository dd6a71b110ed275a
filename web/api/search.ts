/**
 * GET, POST /api/v1/search/…: names and values that are like what somebody types, as lines of JSON.
 * Experimental in 3.14 and there only with `--enable-feature=search-api`.
 * Source: Prometheus HTTP API, searching metric names, label names, and label values.
 */
import type { FastifyReply } from 'fastify';
import type { MetricMetadata } from '../../model/index.ts';
import type { FoundText, TextSearch } from '../answers/index.ts';
import { ApiError } from '../api-error.ts';
import { unescapeName } from '../exposition/index.ts';
import type { Form } from '../form.ts';
import { isFalse, isTrue, parseTime, TIME_MS_MAX, TIME_MS_MIN } from '../params.ts';
import type { MetadataPort, SearchRequest, TimeRange } from '../ports.ts';
import type { ApiCall, Parameter, RawRoute, RouteContext } from '../route.ts';
import { END, MATCH, START } from './parameters.ts';

const LIMIT_DEFAULT = 100;
const BATCH_SIZE_DEFAULT = 100;
const ALGORITHMS = ['subsequence', 'jarowinkler'] as const;

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

type Kind = {
  readonly name: 'metric_names' | 'label_names' | 'label_values';
  readonly summary: string;
  /** How a result calls its text. */
  readonly key: 'name' | 'value';
  readonly parameters: readonly Parameter[];
  /** The label whose values are searched; null: names of labels. */
  label(form: Form): string | null;
};

function searchRoute(kind: Kind): RawRoute {
  return {
    path: `/search/${kind.name}`,
    methods: ['GET', 'POST'],
    doc: {
      id: `search-${kind.name.replace('_', '-')}`,
      tag: 'labels',
      summary: kind.summary,
      parameters: [...kind.parameters, ...COMMON],
      answerType: 'application/x-ndjson',
    },
    inAgentMode: true,
    answer: (call, context) => answer(kind, call, context),
  };
}

async function answer(kind: Kind, call: ApiCall, context: RouteContext): Promise<FastifyReply> {
  const { form, reply, signal } = call;
  const { ports, options } = context;
  if (ports.search === undefined) throw new ApiError('unavailable', 'search API disabled');
  const range = timeRangeOf(form);
  const search = searchOf(form, kind.name, options.searchLimitMax);
  const batchSize = positiveInteger(form, 'batch_size', BATCH_SIZE_DEFAULT);
  const withScore = truth(form, 'include_score', false);
  const withMetadata = kind.name === 'metric_names' && truth(form, 'include_metadata', false);
  const request: SearchRequest = {
    ...range,
    selectors: form.all('match[]'),
    label: kind.label(form),
    search,
  };
  const { found, hasMore, warnings } = await ports.search.search(request, signal);
  const metadata = withMetadata ? await metadataOf(ports.metadata, signal) : null;
  const resultOf = ({ text, score }: FoundText) => ({
    [kind.key]: text,
    ...(withScore ? { score } : {}),
    ...metadata?.get(text),
  });
  const lines: string[] = [];
  // One line at least, however few there are.
  for (let at = 0; at === 0 || at < found.length; at += batchSize) {
    const results = found.slice(at, at + batchSize).map(resultOf);
    const more = at === 0 && warnings.length > 0 ? { warnings } : {};
    lines.push(JSON.stringify({ results, ...more }));
  }
  lines.push(JSON.stringify({ status: 'success', has_more: hasMore }));
  reply.header('content-type', 'application/x-ndjson; charset=utf-8');
  return reply.send(Buffer.from(`${lines.join('\n')}\n`));
}

/** Metric name → what its results carry besides. */
async function metadataOf(
  port: MetadataPort,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Partial<MetricMetadata>>> {
  const all = await port.metrics({ metric: '', limit: -1, limitPerMetric: 1 }, signal);
  return new Map(
    all.map(({ metric, entries: [entry] }) => {
      const { type, help, unit } = entry!;
      return [metric, { type, help, ...(unit === '' ? {} : { unit }) }];
    }),
  );
}

function searchOf(form: Form, endpoint: string, limitMax: number): TextSearch {
  const limit = positiveInteger(form, 'limit', LIMIT_DEFAULT);
  if (limitMax > 0 && limit > limitMax) {
    throw new ApiError(
      'bad_data',
      `limit ${limit} exceeds the configured maximum (${limitMax}, see --web.search.max-limit)`,
    );
  }
  const isCaseSensitive = truth(form, 'case_sensitive', true);
  const order = orderOf(form, endpoint);
  return { terms: form.all('search[]'), isCaseSensitive, order, limit, ...fuzziness(form) };
}

function orderOf(form: Form, endpoint: string): TextSearch['order'] {
  const by = form.first('sort_by');
  const direction = form.first('sort_dir');
  if (by !== '' && by !== 'alpha' && by !== 'score') {
    const what = `invalid sort_by ${JSON.stringify(by)} for ${endpoint}`;
    throw new ApiError('bad_data', `${what}: must be "alpha" or "score"`);
  }
  if (direction !== '' && by !== 'alpha') {
    throw new ApiError(
      'bad_data',
      by === ''
        ? 'sort_dir is only valid when sort_by is set'
        : 'sort_dir is not supported for sort_by=score',
    );
  }
  if (direction !== '' && direction !== 'asc' && direction !== 'dsc') {
    const what = `invalid sort_dir ${JSON.stringify(direction)}: must be "asc" or "dsc"`;
    throw new ApiError('bad_data', what);
  }
  if (by === 'score' && form.all('search[]').length === 0) {
    throw new ApiError('bad_data', 'sort_by=score requires search[] to be set');
  }
  if (by === 'score') return 'score';
  return direction === 'dsc' ? 'descending' : 'ascending';
}

function fuzziness(form: Form): Pick<TextSearch, 'algorithm' | 'scoreMin'> {
  const text = form.first('fuzz_threshold');
  const threshold = text === '' ? 0 : Number(text);
  if (!/^\+?\d*$/.test(text) || threshold > 100) {
    const what = `invalid fuzz_threshold ${JSON.stringify(text)}: must be 0-100`;
    throw new ApiError('bad_data', what);
  }
  const named = form.first('fuzz_alg');
  const algorithm = named === '' ? ALGORITHMS[0] : ALGORITHMS.find((known) => known === named);
  if (algorithm === undefined) {
    const choices = ALGORITHMS.join(' ');
    const what = `unsupported fuzz_alg ${JSON.stringify(named)}: must be one of [${choices}]`;
    throw new ApiError('bad_data', what);
  }
  return { algorithm, scoreMin: threshold / 100 };
}

function timeRangeOf(form: Form): TimeRange {
  const timeOf = (name: string, absentMs: number): number => {
    const text = form.first(name);
    if (text === '') return absentMs;
    const timeMs = parseTime(text);
    if (timeMs !== undefined) return timeMs;
    const what = `cannot parse ${JSON.stringify(text)} to a valid timestamp`;
    throw new ApiError('bad_data', `invalid time value for '${name}': ${what}`);
  };
  const minMs = timeOf('start', TIME_MS_MIN);
  const maxMs = timeOf('end', TIME_MS_MAX);
  if (maxMs < minMs) {
    throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
  }
  return { minMs, maxMs };
}

function positiveInteger(form: Form, name: string, absent: number): number {
  const text = form.first(name);
  if (text === '') return absent;
  const number = /^\+?\d+$/.test(text) ? Number(text) : 0;
  if (number > 0 && Number.isSafeInteger(number)) return number;
  throw new ApiError(
    'bad_data',
    `invalid ${name} ${JSON.stringify(text)}: must be a positive integer`,
  );
}

function truth(form: Form, name: string, absent: boolean): boolean {
  const text = form.first(name);
  if (text === '') return absent;
  if (isTrue(text) || isFalse(text)) return isTrue(text);
  throw new ApiError('bad_data', `invalid ${name} ${JSON.stringify(text)}: must be boolean`);
}

export const searchMetricNames = searchRoute({
  name: 'metric_names',
  summary: 'Search metric names',
  key: 'name',
  parameters: [
    {
      name: 'include_metadata',
      kind: 'boolean',
      description: 'Adds type, unit and help.',
      example: true,
    },
  ],
  label: () => '__name__',
});

export const searchLabelNames = searchRoute({
  name: 'label_names',
  summary: 'Search label names',
  key: 'name',
  parameters: [],
  label: () => null,
});

export const searchLabelValues = searchRoute({
  name: 'label_values',
  summary: 'Search values of a label',
  key: 'value',
  parameters: [
    {
      name: 'label',
      kind: 'text',
      description: 'Whose values to search.',
      isRequired: true,
      example: 'job',
    },
  ],
  label: (form) => {
    const name = form.first('label');
    if (name === '') throw new ApiError('bad_data', 'missing required parameter "label"');
    return unescapeName(name);
  },
});
