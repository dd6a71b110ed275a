/**
 * Shapes of the answers, as JSON Schema. Names of schemas are those that clients generated from
 * Prometheus's description know.
 */
import type { PlainValue } from './yaml.ts';

export type Schema = { readonly [key: string]: PlainValue };

export const TEXT: Schema = { type: 'string' };
export const WHOLE: Schema = { type: 'integer', format: 'int64' };
export const NUMBER: Schema = { type: 'number', format: 'double' };
export const TRUTH: Schema = { type: 'boolean' };
const TIME: Schema = { type: 'string', format: 'date-time' };

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
export const listOf = (items: Schema): Schema => ({ type: 'array', items });
const mapOf = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });
const pairOf = (first: Schema, second: Schema): Schema => ({
  type: 'array',
  items: { oneOf: [first, second] },
  minItems: 2,
  maxItems: 2,
});

/** All members are there, unless their name ends with a question mark. */
function object(members: Readonly<Record<string, Schema>>, description?: string): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [key, schema] of Object.entries(members)) {
    const name = key.replace(/\?$/, '');
    properties[name] = schema;
    if (name === key) required.push(name);
  }
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

const one = (value: string): Schema => ({ type: 'string', enum: [value] });
const queryResult = (resultType: string, result: Schema): Schema =>
  object({ resultType: one(resultType), result, 'stats?': ref('QueryStats') });

const LABELS = ref('Labels');
const FLOAT_POINT = pairOf({ type: 'number' }, TEXT);
const HISTOGRAM_POINT = pairOf({ type: 'number' }, ref('HistogramValue'));
const STEP_COUNTS = listOf(listOf({ type: 'number' }));

const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  PushedGroup: object({
    labels: LABELS,
    pushedAt: orNull(TIME),
    failedAt: orNull(TIME),
    expiresAt: orNull(TIME),
    series: WHOLE,
  }),
  ImportStatus: object(
    {
      id: TEXT,
      state: {
        type: 'string',
        enum: ['receiving', 'waiting', 'running', 'adopting', 'done', 'failed', 'canceled'],
      },
      format: TEXT,
      dryRun: TRUTH,
      startedAt: TIME,
      finishedAt: orNull(TIME),
      error: orNull(TEXT),
      receivedBytes: WHOLE,
      readBytes: WHOLE,
      lines: WHOLE,
      badLines: WHOLE,
      badLineErrors: listOf(object({ line: WHOLE, error: TEXT })),
      series: WHOLE,
      samples: WHOLE,
      writtenSamples: WHOLE,
      tooOldSamples: WHOLE,
      tooNewSamples: WHOLE,
      conflictingSamples: WHOLE,
      minTime: orNull(TIME),
      maxTime: orNull(TIME),
      blocks: listOf(TEXT),
    },
    'An import of samples: how far it is, and what was wrong with its lines.',
  ),
  Error: object(
    { status: one('error'), errorType: TEXT, error: TEXT, 'warnings?': listOf(TEXT) },
    'What went wrong: a type for programs, a sentence for people.',
  ),
  Labels: { ...mapOf(TEXT), description: 'Names and values of labels.' },
  QueryData: {
    description: 'The result of an evaluation; its form depends on the type of the expression.',
    anyOf: [
      queryResult('vector', listOf({ anyOf: [ref('FloatSample'), ref('HistogramSample')] })),
      queryResult('matrix', listOf({ anyOf: [ref('FloatSeries'), ref('HistogramSeries')] })),
      queryResult('scalar', FLOAT_POINT),
      queryResult('string', FLOAT_POINT),
    ],
  },
  QueryStats: object({
    'timings?': object(
      {
        'evalTotalTime?': NUMBER,
        'resultSortTime?': NUMBER,
        'queryPreparationTime?': NUMBER,
        'innerEvalTime?': NUMBER,
        'execQueueTime?': NUMBER,
        'execTotalTime?': NUMBER,
      },
      'Seconds spent in the phases of the evaluation.',
    ),
    'samples?': object({
      'totalQueryableSamplesPerStep?': STEP_COUNTS,
      'totalQueryableSamples?': WHOLE,
      'samplesReadPerStep?': STEP_COUNTS,
      'samplesRead?': WHOLE,
      'peakSamples?': WHOLE,
    }),
  }),
  FloatSample: object({ metric: LABELS, value: FLOAT_POINT }, 'Time in seconds and value.'),
  HistogramSample: object({ metric: LABELS, histogram: HISTOGRAM_POINT }),
  FloatSeries: object({
    metric: LABELS,
    values: listOf(FLOAT_POINT),
    'histograms?': listOf(HISTOGRAM_POINT),
  }),
  HistogramSeries: object({
    metric: LABELS,
    histograms: listOf(HISTOGRAM_POINT),
    'values?': listOf(FLOAT_POINT),
  }),
  HistogramValue: object({
    count: TEXT,
    sum: TEXT,
    'buckets?': listOf({
      type: 'array',
      description: 'Which boundaries belong to the bucket, left boundary, right boundary, count.',
      items: { oneOf: [{ type: 'number' }, TEXT] },
      minItems: 4,
      maxItems: 4,
    }),
  }),
  Metadata: object({ type: TEXT, unit: TEXT, help: TEXT }),
  MetricMetadata: object({ target: LABELS, 'metric?': TEXT, type: TEXT, help: TEXT, unit: TEXT }),
  Target: object({
    discoveredLabels: LABELS,
    labels: LABELS,
    scrapePool: TEXT,
    scrapeUrl: TEXT,
    globalUrl: TEXT,
    lastError: TEXT,
    lastScrape: TIME,
    lastScrapeDuration: NUMBER,
    health: { type: 'string', enum: ['up', 'down', 'unknown'] },
    scrapeInterval: TEXT,
    scrapeTimeout: TEXT,
  }),
  DroppedTarget: object({ discoveredLabels: LABELS, scrapePool: TEXT }),
  TargetDiscovery: object({
    activeTargets: listOf(ref('Target')),
    droppedTargets: listOf(ref('DroppedTarget')),
    droppedTargetCounts: { type: ['object', 'null'], additionalProperties: WHOLE },
  }),
  ScrapePoolsDiscovery: object({ scrapePools: listOf(TEXT) }),
  ScrapePoolConfigData: object({ yaml: TEXT }),
  Config: object(
    {
      'source_labels?': listOf(TEXT),
      'separator?': TEXT,
      'regex?': TEXT,
      'modulus?': WHOLE,
      'target_label?': TEXT,
      'replacement?': TEXT,
      'action?': TEXT,
    },
    'A relabelling rule.',
  ),
  RelabelStep: object({ rule: ref('Config'), output: LABELS, keep: TRUTH }),
  RelabelStepsResponse: object({ steps: listOf(ref('RelabelStep')) }),
  RuleGroup: object({
    name: TEXT,
    file: TEXT,
    rules: listOf({ type: 'object', description: 'A rule; `type` is alerting or recording.' }),
    interval: NUMBER,
    limit: WHOLE,
    evaluationTime: NUMBER,
    lastEvaluation: TIME,
  }),
  RuleDiscovery: object({ groups: listOf(ref('RuleGroup')), 'groupNextToken?': TEXT }),
  Alert: object({
    labels: LABELS,
    annotations: LABELS,
    state: TEXT,
    value: TEXT,
    'activeAt?': TIME,
    'keepFiringSince?': TIME,
  }),
  AlertDiscovery: object({ alerts: listOf(ref('Alert')) }),
  AlertDelivery: object({ at: TIME, url: TEXT, 'error?': TEXT }),
  AlertEvent: object(
    {
      id: TEXT,
      at: TIME,
      from: { type: 'string', enum: ['inactive', 'pending', 'firing'] },
      to: { type: 'string', enum: ['inactive', 'pending', 'firing'] },
      fingerprint: TEXT,
      labels: LABELS,
      annotations: LABELS,
      value: TEXT,
      activeAt: TIME,
      rule: TEXT,
      group: TEXT,
      file: TEXT,
      query: TEXT,
      'samples?': listOf(ref('SelectorSamples')),
      deliveries: listOf(ref('AlertDelivery')),
    },
    'Narthex only.',
  ),
  Receiver: object(
    {
      receiver: TEXT,
      kind: { type: 'string', enum: ['webhook', 'slack', 'email'] },
      target: TEXT,
      label: TEXT,
      groupCount: WHOLE,
      'last?': TIME,
      'lastError?': TEXT,
    },
    'Narthex only.',
  ),
  WaitingMessage: object(
    {
      integration: TEXT,
      groupKey: TEXT,
      alertCount: WHOLE,
      attemptCount: WHOLE,
      created: TIME,
      next: TIME,
      'error?': TEXT,
    },
    'Narthex only.',
  ),
  SelectorSamples: object(
    {
      selector: TEXT,
      seriesCount: WHOLE,
      samples: listOf(object({ labels: LABELS, value: TEXT })),
    },
    'Narthex only.',
  ),
  AlertTimeline: object(
    {
      fingerprint: TEXT,
      rule: TEXT,
      group: TEXT,
      file: TEXT,
      query: TEXT,
      labels: LABELS,
      annotations: LABELS,
      isActive: TRUTH,
      spans: listOf(
        object({
          state: { type: 'string', enum: ['pending', 'firing'] },
          'start?': TIME,
          'end?': TIME,
          'value?': TEXT,
          'event?': TEXT,
        }),
      ),
    },
    'Narthex only.',
  ),
  SelectorCheck: object(
    {
      selector: TEXT,
      seriesCount: WHOLE,
      problem: {
        type: ['object', 'null'],
        description: 'Why it finds nothing: kind, text, nearestMetric, matcher, otherValues.',
      },
    },
    'Narthex only.',
  ),
  RuleCheck: object(
    {
      group: TEXT,
      file: TEXT,
      name: TEXT,
      type: { type: 'string', enum: ['alerting', 'recording'] },
      query: TEXT,
      selectors: listOf(ref('SelectorCheck')),
    },
    'Narthex only.',
  ),
  ExpressionPart: object(
    {
      text: TEXT,
      start: WHOLE,
      end: WHOLE,
      kind: TEXT,
      type: { type: 'string', enum: ['scalar', 'vector', 'matrix', 'string'] },
      count: WHOLE,
      relatedCount: WHOLE,
      rows: listOf(object({ labels: LABELS, value: TEXT, sampleCount: WHOLE })),
      'error?': TEXT,
      'reason?': TEXT,
      'selector?': ref('SelectorCheck'),
      children: listOf(ref('ExpressionPart')),
    },
    'Narthex only.',
  ),
  AlertReport: object(
    {
      verdict: TEXT,
      query: TEXT,
      time: TIME,
      'labels?': LABELS,
      'state?': { type: 'string', enum: ['inactive', 'pending', 'firing'] },
      'rule?': { type: 'object', description: 'The alerting rule as /rules shows it.' },
      'event?': ref('AlertEvent'),
      root: ref('ExpressionPart'),
    },
    'Narthex only.',
  ),
  AlertmanagerTarget: object({ url: TEXT }),
  AlertmanagerDiscovery: object({
    activeAlertmanagers: listOf(ref('AlertmanagerTarget')),
    droppedAlertmanagers: listOf(ref('AlertmanagerTarget')),
  }),
  StatusConfigData: object({ yaml: TEXT }),
  RuntimeInfo: object({
    startTime: TIME,
    CWD: TEXT,
    hostname: TEXT,
    serverTime: TIME,
    reloadConfigSuccess: TRUTH,
    lastConfigTime: TIME,
    corruptionCount: WHOLE,
    goroutineCount: WHOLE,
    GOMAXPROCS: WHOLE,
    GOMEMLIMIT: WHOLE,
    GOGC: TEXT,
    GODEBUG: TEXT,
    storageRetention: TEXT,
  }),
  PrometheusVersion: object({
    version: TEXT,
    revision: TEXT,
    branch: TEXT,
    buildUser: TEXT,
    buildDate: TEXT,
    goVersion: TEXT,
  }),
  HeadStats: object({
    numSeries: WHOLE,
    numLabelPairs: WHOLE,
    chunkCount: WHOLE,
    minTime: WHOLE,
    maxTime: WHOLE,
  }),
  TSDBStat: object({ name: TEXT, value: WHOLE }),
  TSDBStatus: object({
    headStats: ref('HeadStats'),
    seriesCountByMetricName: listOf(ref('TSDBStat')),
    labelValueCountByLabelName: listOf(ref('TSDBStat')),
    memoryInBytesByLabelName: listOf(ref('TSDBStat')),
    seriesCountByLabelValuePair: listOf(ref('TSDBStat')),
    cardinality: ref('Cardinality'),
  }),
  Cardinality: object(
    {
      headMemoryBytes: WHOLE,
      headMemoryLimitBytes: WHOLE,
      refusedSeries: { ...mapOf(WHOLE), description: 'Since the start, by reason.' },
      'loudestMetric?': ref('TSDBStat'),
      'loudestLabel?': ref('TSDBStat'),
    },
    'How far the head is from refusing new series, and what fills it.',
  ),
  BlockDesc: object({ ulid: TEXT, minTime: WHOLE, maxTime: WHOLE }),
  BlockStats: object({
    'numSamples?': WHOLE,
    'numSeries?': WHOLE,
    'numChunks?': WHOLE,
    'numTombstones?': WHOLE,
    'numFloatSamples?': WHOLE,
    'numHistogramSamples?': WHOLE,
  }),
  BlockMetaCompaction: object({
    level: WHOLE,
    'sources?': listOf(TEXT),
    'parents?': listOf(ref('BlockDesc')),
    'failed?': TRUTH,
    'deletable?': TRUTH,
    'hints?': listOf(TEXT),
  }),
  BlockMeta: object({
    ulid: TEXT,
    minTime: WHOLE,
    maxTime: WHOLE,
    'stats?': ref('BlockStats'),
    compaction: ref('BlockMetaCompaction'),
    version: WHOLE,
  }),
  StatusTSDBBlocksData: object({ blocks: listOf(ref('BlockMeta')) }),
  StatusWALReplayData: object({ min: WHOLE, max: WHOLE, current: WHOLE }),
  DataStruct: object({ name: TEXT }),
  Notification: object({ text: TEXT, date: TIME, active: TRUTH }),
  TopQuery: object(
    {
      query: TEXT,
      kind: { type: 'string', enum: ['instant', 'range'] },
      count: WHOLE,
      durationSecondsSum: NUMBER,
      durationSecondsMax: NUMBER,
      samplesSum: WHOLE,
      last: TIME,
    },
    'Narthex only.',
  ),
  ActiveQuery: object(
    {
      id: WHOLE,
      query: TEXT,
      kind: { type: 'string', enum: ['instant', 'range', 'rule'] },
      state: { type: 'string', enum: ['waiting', 'running'] },
      started: TIME,
      durationSeconds: NUMBER,
      start: TIME,
      end: TIME,
      stepSeconds: NUMBER,
      client: TEXT,
      userAgent: TEXT,
      samples: WHOLE,
      series: WHOLE,
      bytes: WHOLE,
    },
    'Narthex only.',
  ),
};

/** The `data` of each answer; `<name>OutputBody` is the envelope around it. */
export const ANSWER_DATA = {
  Query: ref('QueryData'),
  QueryRange: ref('QueryData'),
  QueryExemplars: listOf(
    object({
      seriesLabels: LABELS,
      exemplars: listOf(object({ labels: LABELS, value: TEXT, timestamp: NUMBER })),
    }),
  ),
  FormatQuery: TEXT,
  ParseQuery: { type: 'object', description: 'The root of the syntax tree.' },
  Labels: listOf(TEXT),
  LabelValues: listOf(TEXT),
  Series: listOf(LABELS),
  Metadata: mapOf(listOf(ref('Metadata'))),
  Targets: ref('TargetDiscovery'),
  TargetMetadata: listOf(ref('MetricMetadata')),
  ScrapePools: ref('ScrapePoolsDiscovery'),
  ScrapePoolConfig: ref('ScrapePoolConfigData'),
  TargetRelabelSteps: ref('RelabelStepsResponse'),
  Rules: ref('RuleDiscovery'),
  Alerts: ref('AlertDiscovery'),
  Alertmanagers: ref('AlertmanagerDiscovery'),
  StatusConfig: ref('StatusConfigData'),
  StatusRuntimeInfo: ref('RuntimeInfo'),
  StatusBuildInfo: ref('PrometheusVersion'),
  StatusFlags: mapOf(TEXT),
  StatusTSDB: ref('TSDBStatus'),
  StatusTSDBBlocks: ref('StatusTSDBBlocksData'),
  StatusWALReplay: ref('StatusWALReplayData'),
  StatusSelfMetrics: listOf({ type: 'object', description: 'A family, in the JSON of protobuf.' }),
  StatusActiveQueries: object({ queries: listOf(ref('ActiveQuery')) }),
  AlertTimelines: object({ alerts: listOf(ref('AlertTimeline')), isCut: TRUTH }),
  AlertWhy: ref('AlertReport'),
  Receivers: object({
    receivers: listOf(ref('Receiver')),
    waiting: listOf(ref('WaitingMessage')),
  }),
  RuleChecks: object({
    rules: listOf(ref('RuleCheck')),
    quarantined: listOf(object({ file: TEXT, group: TEXT, error: TEXT })),
  }),
  AlertHistory: object({ entries: listOf(ref('AlertEvent')), 'nextToken?': TEXT }),
  StatusTopQueries: object({ queries: listOf(ref('TopQuery')) }),
  Snapshot: ref('DataStruct'),
  PushedGroups: object({ groups: listOf(ref('PushedGroup')) }),
  Import: ref('ImportStatus'),
  Imports: listOf(ref('ImportStatus')),
  Notifications: listOf(ref('Notification')),
  Features: mapOf(mapOf(TRUTH)),
} as const satisfies Readonly<Record<string, Schema>>;
export type AnswerBodyName = keyof typeof ANSWER_DATA;
