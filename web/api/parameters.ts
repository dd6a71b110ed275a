/** Parameters that several routes share, described once. */
import type { Parameter } from '../route.ts';

export const QUERY: Parameter = {
  name: 'query',
  kind: 'text',
  description: 'The PromQL expression.',
  isRequired: true,
  example: 'up',
};
export const TIME: Parameter = {
  name: 'time',
  kind: 'timestamp',
  description: 'When to evaluate; now when absent.',
  example: '2026-01-02T13:37:00Z',
};
export const START: Parameter = {
  name: 'start',
  kind: 'timestamp',
  description: 'Begin of the time range, inclusive.',
  example: '2026-01-02T12:37:00Z',
};
export const END: Parameter = {
  name: 'end',
  kind: 'timestamp',
  description: 'End of the time range, inclusive.',
  example: '2026-01-02T13:37:00Z',
};
export const TIMEOUT: Parameter = {
  name: 'timeout',
  kind: 'duration',
  description: 'Time after which the evaluation is given up; at most the one the server is set to.',
  example: '30s',
};
export const LOOKBACK: Parameter = {
  name: 'lookback_delta',
  kind: 'duration',
  description: 'How far to look back for the newest sample, in place of the setting of the server.',
  example: '5m',
};
export const STATS: Parameter = {
  name: 'stats',
  kind: 'text',
  description: 'Adds statistics of the evaluation: `true` for totals, `all` for figures per step.',
  example: 'all',
};
export const LIMIT: Parameter = {
  name: 'limit',
  kind: 'integer',
  description: 'At most so many results; 0 means all. A warning tells when something was cut off.',
  example: 100,
};
export const MATCH: Parameter = {
  name: 'match[]',
  kind: 'selector',
  description: 'Series selector; series that match any of them count.',
  isRepeated: true,
  example: '{job="prometheus"}',
};
export const REQUIRED_MATCH: Parameter = { ...MATCH, isRequired: true };
