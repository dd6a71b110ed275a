import type { RelabelConfig } from '../../model/index.ts';
import { ApiError } from '../api-error.ts';
import { namingParameter, plainInteger } from '../params.ts';
import type { ActiveTarget, LabelObject } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute, Parameter } from '../route.ts';
import { timeText } from './time-text.ts';

const SCRAPE_POOL: Parameter = {
  name: 'scrapePool',
  kind: 'text',
  description: 'Only targets of this scrape pool.',
  example: 'prometheus',
};

/** GET /api/v1/targets: what discovery found, and how scraping goes. Source: HTTP API, targets. */
export const targets: JsonRoute = {
  path: '/targets',
  methods: ['GET'],
  doc: {
    id: 'targets',
    tag: 'targets',
    summary: 'List targets',
    parameters: [
      SCRAPE_POOL,
      {
        name: 'state',
        kind: 'text',
        description: 'Only active or only dropped targets; other values mean both.',
        choices: ['active', 'dropped', 'any'],
        example: 'active',
      },
    ],
    body: 'Targets',
  },
  inAgentMode: true,
  async handle({ form, signal }, { ports }) {
    const state = form.first('state').toLowerCase();
    const withActive = ['', 'any', 'active'].includes(state);
    const withDropped = ['', 'any', 'dropped'].includes(state);
    const scrapePool = form.first('scrapePool');
    const found = await ports.targets.targets({ scrapePool, withActive, withDropped }, signal);
    return successJson(
      JSON.stringify({
        activeTargets: withActive ? found.active.map(activeTarget) : [],
        droppedTargets: withDropped ? found.dropped : [],
        droppedTargetCounts: withDropped ? found.droppedCounts : null,
      }),
    );
  },
};

function activeTarget(target: ActiveTarget) {
  const { discoveredLabels, labels, scrapePool, scrapeUrl, globalUrl, lastError } = target;
  return {
    discoveredLabels,
    labels,
    scrapePool,
    scrapeUrl,
    globalUrl,
    lastError,
    lastScrape: timeText(target.lastScrapeMs),
    lastScrapeDuration: target.lastScrapeDurationSeconds,
    health: target.health,
    scrapeInterval: target.scrapeInterval,
    scrapeTimeout: target.scrapeTimeout,
  };
}

/** GET /api/v1/scrape_pools: their names. Source: HTTP API, scrape pools. */
export const scrapePools: JsonRoute = {
  path: '/scrape_pools',
  methods: ['GET'],
  doc: {
    id: 'scrape-pools',
    tag: 'targets',
    summary: 'List scrape pools',
    body: 'ScrapePools',
  },
  inAgentMode: true,
  async handle({ signal }, { ports }) {
    return successJson(JSON.stringify({ scrapePools: await ports.targets.poolNames(signal) }));
  },
};

/** GET /api/v1/scrape_pools/config: a pool's part of the configuration. Source: OpenAPI of 3.14. */
export const scrapePoolConfig: JsonRoute = {
  path: '/scrape_pools/config',
  methods: ['GET'],
  doc: {
    id: 'scrape-pool-config',
    tag: 'targets',
    summary: 'Show the configuration of a scrape pool',
    parameters: [{ ...SCRAPE_POOL, description: 'Which pool.', isRequired: true }],
    body: 'ScrapePoolConfig',
  },
  inAgentMode: true,
  async handle({ form, signal }, { ports }) {
    const scrapePool = form.first('scrapePool');
    if (scrapePool === '') throw new ApiError('bad_data', 'no scrapePool parameter provided');
    const yaml = await ports.targets.poolConfig(scrapePool, signal);
    if (yaml === null) throw unknownPool(scrapePool);
    return successJson(JSON.stringify({ yaml }));
  },
};

/** GET /api/v1/targets/metadata: metadata of metrics with their targets. Source: HTTP API. */
export const targetsMetadata: JsonRoute = {
  path: '/targets/metadata',
  methods: ['GET'],
  doc: {
    id: 'targets-metadata',
    tag: 'targets',
    summary: 'Describe metrics per target',
    parameters: [
      {
        name: 'match_target',
        kind: 'selector',
        description: 'Selector for the labels of targets; all targets when absent.',
        example: '{job="prometheus"}',
      },
      { name: 'metric', kind: 'text', description: 'Only this metric.', example: 'up' },
      {
        name: 'limit',
        kind: 'integer',
        description: 'At most so many targets.',
        example: 10,
      },
    ],
    body: 'TargetMetadata',
  },
  inAgentMode: true,
  async handle({ form, signal }, { ports }) {
    const limit = plainInteger(form, 'limit', -1);
    const selector = form.first('match_target');
    const sets =
      selector === ''
        ? []
        : await namingParameter('match_target', ports.language.selectors([selector], signal));
    const metric = form.first('metric');
    const found = await ports.targets.metadata({ matchers: sets[0] ?? [], metric, limit }, signal);
    const data = found.map(({ target, metric: name, metadata }) => ({
      target,
      // Who asks for one metric knows its name. JSON leaves out what is undefined.
      metric: metric === '' ? name : undefined,
      type: metadata.type,
      help: metadata.help,
      unit: metadata.unit,
    }));
    return successJson(JSON.stringify(data));
  },
};

/** GET /api/v1/targets/relabel_steps: what each rule does. Source: HTTP API, relabel steps. */
export const relabelSteps: JsonRoute = {
  path: '/targets/relabel_steps',
  methods: ['GET'],
  doc: {
    id: 'targets-relabel-steps',
    tag: 'targets',
    summary: 'Follow a label set through the relabelling of a scrape pool',
    parameters: [
      { ...SCRAPE_POOL, description: 'Whose rules to apply.', isRequired: true },
      {
        name: 'labels',
        kind: 'labels',
        description: 'The labels before relabelling, as a JSON object.',
        isRequired: true,
        example: '{"__address__":"localhost:9090","job":"prometheus"}',
      },
    ],
    body: 'TargetRelabelSteps',
  },
  inAgentMode: true,
  async handle({ form, signal }, { ports }) {
    const scrapePool = form.first('scrapePool');
    if (scrapePool === '') throw new ApiError('bad_data', 'no scrapePool parameter provided');
    const labelsText = form.first('labels');
    if (labelsText === '') throw new ApiError('bad_data', 'no labels parameter provided');
    const labels = parseLabels(labelsText);
    const steps = await ports.targets.relabelSteps(scrapePool, labels, signal);
    if (steps === null) throw unknownPool(scrapePool);
    const shown = steps.map(({ rule, output, keep }) => ({ rule: ruleJson(rule), output, keep }));
    return successJson(JSON.stringify({ steps: shown }));
  },
};

function unknownPool(scrapePool: string): ApiError {
  const what = `scrape pool ${JSON.stringify(scrapePool)} not found`;
  return new ApiError('bad_data', `error retrieving scrape config: ${what}`);
}

function parseLabels(text: string): LabelObject {
  const refuse = (what: string): ApiError =>
    new ApiError('bad_data', `error parsing labels: ${what}`);
  let labels: unknown;
  try {
    labels = JSON.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw refuse('an object of strings is expected');
  }
  for (const [name, value] of Object.entries(labels)) {
    if (typeof value !== 'string') {
      throw refuse(`the value of ${JSON.stringify(name)} must be a string, not a ${typeof value}`);
    }
  }
  return labels as LabelObject;
}

/** Under the names of the configuration file; what is not set and has no default stays away. */
function ruleJson(rule: RelabelConfig): Record<string, unknown> {
  const { sourceLabels, separator, regex, modulus, targetLabel, replacement, action } = rule;
  return {
    ...(sourceLabels.length > 0 ? { source_labels: sourceLabels } : {}),
    separator,
    regex,
    ...(modulus !== 0 ? { modulus } : {}),
    ...(targetLabel !== '' ? { target_label: targetLabel } : {}),
    replacement,
    action,
  };
}
