/** Scraping: finds targets, fetches what they expose, hands it to an Appender. */
export * from './config.ts';
export {
  type ActiveTarget,
  type DroppedTarget,
  type MetadataRequest,
  ScrapeManager,
  type ScrapeManagerOptions,
  type TargetMetadata,
  type TargetMetadataRequest,
  type TargetsAnswer,
  type TargetsRequest,
} from './scrape-manager.ts';
export type { TargetHealth } from './scrape-loop.ts';
export type { Fetcher } from './scrape-job.ts';
export { DiscoveryManager, type DiscoveryManagerOptions } from './discovery/discovery-manager.ts';
export { parseTargetGroups } from './discovery/target-group.ts';
export { STALE_HISTOGRAM } from './append-staged.ts';
export { type ReadBody, readExposition, type ReadSample } from './read-exposition.ts';
export { type SampleLine, SampleLineReader } from './exposition/sample-line.ts';
export { HttpClient, type HttpClientOptions } from './http/http-client.ts';
export type { HttpRequest, HttpResponse } from './http/http-request.ts';
export { SecretFiles } from './http/secret-files.ts';
export { tlsOptions } from './http/tls-options.ts';
export { dialerMetrics } from './scrape-metrics.ts';
export { FetchError, type FetchErrorKind } from './http/fetch-error.ts';
export { type Credentials, signedHeaders, type ToSign } from './http/signature-v4.ts';
export { type CloudAuthConfig, CloudAuthorizer } from './cloud-auth/cloud-authorizer.ts';
