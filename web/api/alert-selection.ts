/** What the lists of the alert history are narrowed down by. */
import { ApiError } from '../api-error.ts';
import { plainInteger, timeRange } from '../params.ts';
import type { AlertTimelineRequest } from '../ports.ts';
import type { ApiCall, Parameter, RouteContext } from '../route.ts';
import { MATCH } from './parameters.ts';

export const ALERT_NAME: Parameter = {
  name: 'alertname',
  kind: 'text',
  description: 'Only alerts of this rule.',
  example: 'TargetDown',
};

export const FINGERPRINT: Parameter = {
  name: 'fingerprint',
  kind: 'text',
  description: 'Only this alert, as an earlier answer names it.',
  example: '0123456789abcdef',
};
export const ALERT_MATCH: Parameter = {
  ...MATCH,
  description: 'Only alerts whose labels match any of these selectors.',
  example: '{severity="page"}',
};

/**
 * @param limits  how many an answer may have
 * @throws ApiError  a parameter is malformed
 */
export async function alertSelection(
  { form, signal }: ApiCall,
  { ports }: RouteContext,
  limits: { readonly absent: number; readonly max: number },
): Promise<AlertTimelineRequest> {
  const limit = plainInteger(form, 'limit', limits.absent);
  if (limit < 1 || limit > limits.max) {
    throw new ApiError('bad_data', `limit must be between 1 and ${limits.max}`);
  }
  const selectors = form.all('match[]');
  const matcherSets =
    selectors.length === 0 ? [] : await ports.language.selectors(selectors, signal);
  return {
    ...timeRange(form),
    alertName: form.first('alertname'),
    fingerprint: form.first('fingerprint'),
    matcherSets,
    limit,
  };
}
