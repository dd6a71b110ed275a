/**
 * GET, POST /api/v1/search/…: names and values that are like what somebody types, as lines of JSON.
 * Experimental in 3.14 and there only with `--enable-feature=search-api`.
 * Source: Prometheus HTTP API, searching metric names, label names, and label values.
 */
import type { FastifyReply } from 'fastify';
import { HOUR_MS, Matcher, type MetricMetadata } from '../../model/index.ts';
import { type FoundText, requireSelective, type TextSearch } from '../answers/index.ts';
import { ApiError } from '../api-error.ts';
import { unescapeName } from '../exposition/index.ts';
import type { Form } from '../form.ts';
import { isFalse, isTrue, parseTime, requireWellFormed } from '../params.ts';
import type { LanguagePort, MetadataPort, SearchRequest, TimeRange } from '../ports.ts';
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
  requireWellFormed(form);
  const range = timeRangeOf(form, options.clock.nowMs());
  const selectors = form.all('match[]');
  let wishes: Wishes;
  try {
    wishes = wishesOf(form, kind, options.searchLimitMax);
  } catch (error) {
    // Selectors are read by a worker, with the search itself; but what is wrong with them comes first.
    await checkSelectors(selectors, ports.language, signal);
    throw error;
  }
  const { search, label, batchSize, withScore, withMetadata } = wishes;
  const request: SearchRequest = { ...range, selectors, label, search };
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

type Wishes = {
  readonly search: TextSearch;
  readonly label: string | null;
  readonly batchSize: number;
  readonly withScore: boolean;
  readonly withMetadata: boolean;
};

/** Checked in the order in which 3.14 does it, which shows when several things are wrong. */
function wishesOf(form: Form, kind: Kind, limitMax: number): Wishes {
  const likeness = fuzziness(form);
  const isCaseSensitive = truth(form, 'case_sensitive', true);
  const withScore = truth(form, 'include_score', false);
  checkSorting(form);
  const limit = limitOf(form, limitMax);
  const batchSize = positiveInteger(form, 'batch_size', BATCH_SIZE_DEFAULT);
  const order = orderOf(form, kind.name);
  const terms = form.all('search[]');
  return {
    search: { terms, isCaseSensitive, order, limit, ...likeness },
    label: kind.label(form),
    batchSize,
    withScore,
    withMetadata: kind.name === 'metric_names' && truth(form, 'include_metadata', false),
  };
}

/** @throws ApiError for a selector that cannot be read, or matches every series */
async function checkSelectors(
  texts: readonly string[],
  language: LanguagePort,
  signal: AbortSignal,
): Promise<void> {
  if (texts.length === 0) return;
  const sets = await language.selectors(texts, signal);
  requireSelective(sets.map((set) => set.map((m) => new Matcher(m.name, m.operator, m.value))));
}

function limitOf(form: Form, limitMax: number): number {
  const limit = positiveInteger(form, 'limit', LIMIT_DEFAULT);
  if (limitMax > 0 && limit > limitMax) {
    throw new ApiError(
      'bad_data',
      `limit ${limit} exceeds the configured maximum (${limitMax}, see --web.search.max-limit)`,
    );
  }
  return limit;
}

/** How what is asked about order fits together; what it means depends on the endpoint. */
function checkSorting(form: Form): void {
  const by = form.first('sort_by');
  const direction = form.first('sort_dir');
  if (direction === '') {
    if (by !== 'score' || form.all('search[]').length > 0) return;
    throw new ApiError('bad_data', 'sort_by=score requires search[] to be set');
  }
  if (by === '') throw new ApiError('bad_data', 'sort_dir is only valid when sort_by is set');
  if (by === 'score') {
    throw new ApiError('bad_data', 'sort_dir is not supported for sort_by=score');
  }
  if (direction !== 'asc' && direction !== 'dsc') {
    const what = `invalid sort_dir ${JSON.stringify(direction)}: must be "asc" or "dsc"`;
    throw new ApiError('bad_data', what);
  }
}

function orderOf(form: Form, endpoint: string): TextSearch['order'] {
  const by = form.first('sort_by');
  const direction = form.first('sort_dir');
  if (by !== '' && by !== 'alpha' && by !== 'score') {
    const what = `invalid sort_by ${JSON.stringify(by)} for ${endpoint}`;
    throw new ApiError('bad_data', `${what}: must be "alpha" or "score"`);
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

/** The last hour, where nothing else is asked for. */
function timeRangeOf(form: Form, nowMs: number): TimeRange {
  const timeOf = (name: string, absentMs: number): number => {
    const text = form.first(name);
    if (text === '') return absentMs;
    const timeMs = parseTime(text);
    if (timeMs !== undefined) return timeMs;
    const what = `cannot parse ${JSON.stringify(text)} to a valid timestamp`;
    throw new ApiError('bad_data', `invalid time value for '${name}': ${what}`);
  };
  const minMs = timeOf('start', nowMs - HOUR_MS);
  const maxMs = timeOf('end', nowMs);
  if (maxMs < minMs) {
    throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
  }
  return { minMs, maxMs };
}

function positiveInteger(form: Form, name: string, absent: number): number {
  const text = form.first(name);
  if (text === '') return absent;
  const integer = /^\+?\d+$/.test(text) ? BigInt(text.replace('+', '')) : 0n;
  // Whole numbers have 64 bits there; ours are exact to 53, and so many results there are never.
  if (integer > 0n && integer < 2n ** 63n) return Number(integer);
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
