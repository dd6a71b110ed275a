/** One `<remote_read>` section as plain data. */
import type { HttpClientConfig } from '../../../scrape/index.ts';

export type RemoteReadConfig = {
  /** As configured, or made of the section's content. */
  readonly name: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Matchers that a selector must have for this receiver to be asked. */
  readonly requiredMatchers: Readonly<Record<string, string>>;
  /** Also for times of which the own storage has everything. */
  readonly readsRecent: boolean;
  readonly filtersExternalLabels: boolean;
  readonly httpClient: HttpClientConfig;
};
