/**
 * Targets from a web service.
 * Source: Prometheus documentation, `<http_sd_config>` and "Writing HTTP service discovery".
 */
import { messageOf, quoteText, ValueError } from '../../model/index.ts';
import type { HttpDiscoveryConfig, TargetGroup } from '../config.ts';
import { HttpClient } from '../http/http-client.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';
import { RefreshingProvider } from './refresh.ts';
import { parseTargetGroups } from './target-group.ts';

const JSON_TYPE = /^application\/json(?:;\s*charset=(?:"utf-8"|utf-8))?$/i;
const BODY_SIZE_MAX_BYTES = 128 * 1024 * 1024;

export function createHttpProvider(
  config: HttpDiscoveryConfig,
  context: ProviderContext,
): DiscoveryProvider {
  const { clock, userAgent, metrics } = context;
  const { url, refreshIntervalMs } = config;
  const client = new HttpClient(config.httpClient, { clock, userAgent });

  const look = async (signal: AbortSignal): Promise<TargetGroup[]> => {
    const response = await client.request({
      url,
      headers: {
        Accept: 'application/json',
        'X-Prometheus-Refresh-Interval-Seconds': String(refreshIntervalMs / 1000),
      },
      timeoutMs: refreshIntervalMs,
      bodySizeLimitBytes: BODY_SIZE_MAX_BYTES,
      signal,
    });
    if (response.status !== 200) {
      const status = `${response.status} ${response.statusText}`;
      throw new ValueError(`server returned HTTP status ${status}`);
    }
    const contentType = response.headers['content-type'] ?? '';
    if (!JSON_TYPE.test(contentType.trim())) {
      throw new ValueError(`unsupported content type ${quoteText(contentType)}`);
    }
    let document: unknown;
    try {
      document = JSON.parse(Buffer.from(response.body).toString('utf8'));
    } catch (error) {
      throw new ValueError(`the answer of ${url} is not JSON: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return parseTargetGroups(document, (index) => `${url}:${index}`, { __meta_url: url });
  };

  const counted = async (signal: AbortSignal) => {
    try {
      return await look(signal);
    } catch (error) {
      if (!signal.aborted) metrics.httpFailures.increase();
      throw error;
    }
  };
  return new RefreshingProvider('http', refreshIntervalMs, context, counted, () => {
    void client.close();
  });
}
