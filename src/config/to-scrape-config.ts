/** From the configuration's spelling to the plain data that the scrape room works with. */
import type {
  DiscoveryConfig,
  DnsRecordType,
  HttpClientConfig,
  LabelRecord,
  NameEscapingScheme,
  OAuth2Config,
  ProxyConfig,
  ScrapeConfig,
  TargetGroup,
  TlsConfig,
} from '../../scrape/index.ts';
import { type DiscoveryValues, platformSections, type StaticValues } from './discovery-shapes.ts';
import { type HttpClientValues, NO_HTTP_SETTINGS } from './http-client-shape.ts';
import { toRelabelConfig } from './relabel-shape.ts';
import type { ScrapeValues } from './scrape-shape.ts';

/** @param job  completed */
export function toScrapeConfig(job: ScrapeValues): ScrapeConfig {
  return {
    jobName: job.job_name,
    scrapeIntervalMs: job.scrape_interval,
    scrapeTimeoutMs: job.scrape_timeout,
    scrapeProtocols: job.scrape_protocols ?? [],
    fallbackScrapeProtocol: job.fallback_scrape_protocol || null,
    metricsPath: job.metrics_path,
    // Other schemes load, as in Prometheus; the scrape then fails and says why.
    scheme: job.scheme as ScrapeConfig['scheme'],
    params: job.params,
    enableCompression: job.enable_compression,
    honorLabels: job.honor_labels,
    honorTimestamps: job.honor_timestamps,
    trackTimestampsStaleness: job.track_timestamps_staleness,
    // A negative size is no limit.
    bodySizeLimitBytes: Math.max(0, job.body_size_limit),
    sampleLimit: job.sample_limit,
    labelLimit: job.label_limit,
    labelNameLengthLimit: job.label_name_length_limit,
    labelValueLengthLimit: job.label_value_length_limit,
    targetLimit: job.target_limit,
    keepDroppedTargets: job.keep_dropped_targets,
    nativeHistogramBucketLimit: job.native_histogram_bucket_limit,
    nativeHistogramMinBucketFactor: job.native_histogram_min_bucket_factor,
    nameScheme: job.metric_name_validation_scheme || 'utf8',
    nameEscapingScheme: job.metric_name_escaping_scheme as NameEscapingScheme,
    scrapeNativeHistograms: job.scrape_native_histograms === true,
    convertClassicHistogramsToNhcb: job.convert_classic_histograms_to_nhcb === true,
    alwaysScrapeClassicHistograms: job.always_scrape_classic_histograms === true,
    extraScrapeMetrics: job.extra_scrape_metrics === true,
    scrapeFailureLogFile: job.scrape_failure_log_file,
    httpClient: toHttpClient(job),
    discovery: toDiscovery(job),
    relabelConfigs: job.relabel_configs.map(toRelabelConfig),
    metricRelabelConfigs: job.metric_relabel_configs.map(toRelabelConfig),
  };
}

export function toHttpClient(value: HttpClientValues): HttpClientConfig {
  const { basic_auth: basic, authorization, oauth2 } = value;
  return {
    basicAuth: basic && {
      username: basic.username,
      usernameFile: basic.username_file,
      password: basic.password,
      passwordFile: basic.password_file,
    },
    authorization: authorization && {
      type: authorization.type,
      credentials: authorization.credentials,
      credentialsFile: authorization.credentials_file,
    },
    oauth2: oauth2 && toOAuth2(oauth2),
    followRedirects: value.follow_redirects,
    enableHttp2: value.enable_http2,
    tls: toTls(value.tls_config),
    proxy: toProxy(value),
    httpHeaders: value.http_headers,
  };
}

function toOAuth2(value: NonNullable<HttpClientValues['oauth2']>): OAuth2Config {
  return {
    clientId: value.client_id,
    grantType: value.grant_type || 'client_credentials',
    clientSecret: value.client_secret,
    clientSecretFile: value.client_secret_file,
    clientCertificateKey: value.client_certificate_key,
    clientCertificateKeyFile: value.client_certificate_key_file,
    clientCertificateKeyId: value.client_certificate_key_id,
    signatureAlgorithm: (value.signature_algorithm ||
      'RS256') as OAuth2Config['signatureAlgorithm'],
    iss: value.iss,
    audience: value.audience,
    claims: value.claims,
    scopes: value.scopes,
    tokenUrl: value.token_url,
    endpointParams: value.endpoint_params,
    tls: toTls(value.tls_config),
    proxy: toProxy(value),
  };
}

export function toTls(value: HttpClientValues['tls_config']): TlsConfig {
  return {
    ca: value.ca,
    caFile: value.ca_file,
    cert: value.cert,
    certFile: value.cert_file,
    key: value.key,
    keyFile: value.key_file,
    serverName: value.server_name,
    insecureSkipVerify: value.insecure_skip_verify,
    minVersion: value.min_version,
    maxVersion: value.max_version,
  };
}

function toProxy(
  value: Pick<
    HttpClientValues,
    'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header'
  >,
): ProxyConfig {
  return {
    proxyUrl: value.proxy_url,
    noProxy: value.no_proxy,
    proxyFromEnvironment: value.proxy_from_environment,
    proxyConnectHeaders: value.proxy_connect_header,
  };
}

/** Of any section that names targets. */
export function toDiscovery(value: DiscoveryValues): DiscoveryConfig[] {
  const configs: DiscoveryConfig[] = [];
  if (value.static_configs.length > 0) {
    configs.push({ kind: 'static', groups: value.static_configs.map(toTargetGroup) });
  }
  for (const { files, refresh_interval } of value.file_sd_configs) {
    configs.push({ kind: 'file', files, refreshIntervalMs: refresh_interval });
  }
  for (const http of value.http_sd_configs) {
    configs.push({
      kind: 'http',
      url: http.url,
      refreshIntervalMs: http.refresh_interval,
      httpClient: toHttpClient(http),
    });
  }
  for (const { names, type, port, refresh_interval } of value.dns_sd_configs) {
    const recordType = type.toUpperCase() as DnsRecordType;
    configs.push({
      kind: 'dns',
      names,
      type: recordType,
      port,
      refreshIntervalMs: refresh_interval,
    });
  }
  for (const { mechanism, settings } of platformSections(value)) {
    // Sections without HTTP settings of their own, or with only some, use the defaults.
    const httpClient = toHttpClient({ ...NO_HTTP_SETTINGS, ...settings });
    configs.push({
      kind: 'platform',
      mechanism,
      settings: settings as Readonly<Record<string, unknown>>,
      httpClient,
    });
  }
  return configs;
}

/** @param index  of the group in its list; tells the groups of one job apart */
export function toTargetGroup({ targets, labels }: StaticValues, index: number): TargetGroup {
  return {
    source: String(index),
    targets: targets.map((address): LabelRecord => ({ __address__: address })),
    labels,
  };
}
