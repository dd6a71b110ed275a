/**
 * What the scrape room is told to do, as plain data: no classes, no functions, so that it can be
 * sent to another thread. Reading YAML into these shapes, filling in the global settings and
 * resolving file names against the configuration file's folder is done elsewhere (src).
 *
 * Each DEFAULT_… constant documents the defaults. Durations are milliseconds, sizes bytes; a limit
 * of 0 means no limit.
 * Source: Prometheus configuration documentation.
 */
import type { NameScheme, RelabelConfig } from '../model/index.ts';

/** In the spelling of the configuration file. */
export const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

/** What is asked of a target whose names are not all of the legacy character set. */
export const NAME_ESCAPING_SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type NameEscapingScheme = (typeof NAME_ESCAPING_SCHEMES)[number];

/** The order of negotiation where the configuration names none. */
export function defaultScrapeProtocols(scrapeNativeHistograms: boolean): readonly ScrapeProtocol[] {
  return scrapeNativeHistograms ? SCRAPE_PROTOCOLS : SCRAPE_PROTOCOLS.slice(1);
}

/** One job. Global settings have been merged in already. */
export type ScrapeConfig = {
  readonly jobName: string;
  readonly scrapeIntervalMs: number;
  /** At most the interval. */
  readonly scrapeTimeoutMs: number;
  /** In order of preference. */
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  /** How to read an answer whose content type is missing or unusable; null fails the scrape. */
  readonly fallbackScrapeProtocol: ScrapeProtocol | null;
  readonly metricsPath: string;
  readonly scheme: 'http' | 'https';
  /** URL parameters. */
  readonly params: Readonly<Record<string, readonly string[]>>;
  /** Ask for gzip. */
  readonly enableCompression: boolean;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;

  /** Of the body, uncompressed. */
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly labelLimit: number;
  /** In bytes of UTF-8. */
  readonly labelNameLengthLimit: number;
  /** In bytes of UTF-8. */
  readonly labelValueLengthLimit: number;
  readonly targetLimit: number;
  /** How many targets dropped by relabelling are remembered; 0 remembers all. */
  readonly keepDroppedTargets: number;
  readonly nativeHistogramBucketLimit: number;
  /** Lower limit of the growth from one bucket to the next; 0 for none. */
  readonly nativeHistogramMinBucketFactor: number;

  /** `metric_name_validation_scheme`. */
  readonly nameScheme: NameScheme;
  /** `metric_name_escaping_scheme`; where it is blank: underscores for legacy, else allow-utf-8. */
  readonly nameEscapingScheme: NameEscapingScheme;
  readonly scrapeNativeHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly extraScrapeMetrics: boolean;
  /** File that scrape failures are logged to; empty for none. */
  readonly scrapeFailureLogFile: string;

  readonly httpClient: HttpClientConfig;
  readonly discovery: readonly DiscoveryConfig[];
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly metricRelabelConfigs: readonly RelabelConfig[];
};

export type BasicAuthConfig = {
  readonly username: string;
  readonly usernameFile: string;
  readonly password: string;
  readonly passwordFile: string;
};

export type AuthorizationConfig = {
  /** `Bearer` unless told otherwise. */
  readonly type: string;
  readonly credentials: string;
  readonly credentialsFile: string;
};

export const OAUTH2_JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export type OAuth2Config = {
  readonly clientId: string;
  /** `client_credentials` or {@link OAUTH2_JWT_BEARER}. `password` comes by endpoint parameters. */
  readonly grantType: string;
  readonly clientSecret: string;
  readonly clientSecretFile: string;
  readonly clientCertificateKey: string;
  readonly clientCertificateKeyFile: string;
  readonly clientCertificateKeyId: string;
  readonly signatureAlgorithm: 'RS256' | 'RS384' | 'RS512';
  /** Empty: the client id. */
  readonly iss: string;
  /** Empty: the token URL. */
  readonly audience: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly tokenUrl: string;
  readonly endpointParams: Readonly<Record<string, string>>;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
};

export const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** Of each pair (text, file) at most one is set; empty means unset. Files are read at use. */
export type TlsConfig = {
  readonly ca: string;
  readonly caFile: string;
  readonly cert: string;
  readonly certFile: string;
  readonly key: string;
  readonly keyFile: string;
  /** Name to ask for and to check the certificate against, instead of the host. */
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: TlsVersion | null;
  readonly maxVersion: TlsVersion | null;
};

export type ProxyConfig = {
  /** Empty for none. */
  readonly proxyUrl: string;
  /** Comma-separated hosts, domains, addresses, CIDR ranges that are asked directly. */
  readonly noProxy: string;
  /** HTTP_PROXY, HTTPS_PROXY, NO_PROXY and their lower-case forms decide. */
  readonly proxyFromEnvironment: boolean;
  /** Sent along with CONNECT. */
  readonly proxyConnectHeaders: Readonly<Record<string, readonly string[]>>;
};

export type HttpHeaderConfig = {
  readonly values: readonly string[];
  readonly secrets: readonly string[];
  /** Read at use; one value per file. */
  readonly files: readonly string[];
};

/** `<http_config>`, shared by scraping, discovery, remote write and notifications. */
export type HttpClientConfig = {
  /** At most one of the three is set. */
  readonly basicAuth: BasicAuthConfig | null;
  readonly authorization: AuthorizationConfig | null;
  readonly oauth2: OAuth2Config | null;
  readonly followRedirects: boolean;
  readonly enableHttp2: boolean;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
  readonly httpHeaders: Readonly<Record<string, HttpHeaderConfig>>;
};

/** Label names to values. `__address__` is a target's address. */
export type LabelRecord = Readonly<Record<string, string>>;

/** Targets that were found together and share labels. A newer group replaces that of its source. */
export type TargetGroup = {
  /** Unique among the groups of one job and mechanism: a file with index, a DNS name, … */
  readonly source: string;
  readonly targets: readonly LabelRecord[];
  /** Added to every target, whose own labels win. */
  readonly labels: LabelRecord;
};

export type StaticDiscoveryConfig = {
  readonly kind: 'static';
  readonly groups: readonly TargetGroup[];
};

export type FileDiscoveryConfig = {
  readonly kind: 'file';
  /** Paths ending in .json, .yml or .yaml; the last segment may hold a `*`. */
  readonly files: readonly string[];
  readonly refreshIntervalMs: number;
};

export type HttpDiscoveryConfig = {
  readonly kind: 'http';
  readonly url: string;
  readonly refreshIntervalMs: number;
  readonly httpClient: HttpClientConfig;
};

export const DNS_RECORD_TYPES = ['SRV', 'A', 'AAAA', 'MX', 'NS'] as const;
export type DnsRecordType = (typeof DNS_RECORD_TYPES)[number];

export type DnsDiscoveryConfig = {
  readonly kind: 'dns';
  readonly names: readonly string[];
  readonly type: DnsRecordType;
  /** Required unless the type is SRV. */
  readonly port: number;
  readonly refreshIntervalMs: number;
};

/** Discovery by asking a platform, cloud or registry; each is one file in `discovery/platforms`. */
export type PlatformDiscoveryConfig = {
  readonly kind: 'platform';
  /** As in the configuration's key: `kubernetes` for `kubernetes_sd_configs`. */
  readonly mechanism: string;
  /** Keys as in the configuration file, checked and completed; durations are milliseconds. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly httpClient: HttpClientConfig;
};

export type DiscoveryConfig =
  | StaticDiscoveryConfig
  | FileDiscoveryConfig
  | HttpDiscoveryConfig
  | DnsDiscoveryConfig
  | PlatformDiscoveryConfig;

export const DEFAULT_TLS_CONFIG: TlsConfig = {
  ca: '',
  caFile: '',
  cert: '',
  certFile: '',
  key: '',
  keyFile: '',
  serverName: '',
  insecureSkipVerify: false,
  minVersion: null,
  maxVersion: null,
};

export const DEFAULT_PROXY_CONFIG: ProxyConfig = {
  proxyUrl: '',
  noProxy: '',
  proxyFromEnvironment: false,
  proxyConnectHeaders: {},
};

export const DEFAULT_HTTP_CLIENT_CONFIG: HttpClientConfig = {
  basicAuth: null,
  authorization: null,
  oauth2: null,
  followRedirects: true,
  enableHttp2: true,
  tls: DEFAULT_TLS_CONFIG,
  proxy: DEFAULT_PROXY_CONFIG,
  httpHeaders: {},
};

/** Lacks what has no default. */
export const DEFAULT_OAUTH2_CONFIG: Omit<OAuth2Config, 'clientId' | 'tokenUrl'> = {
  grantType: 'client_credentials',
  clientSecret: '',
  clientSecretFile: '',
  clientCertificateKey: '',
  clientCertificateKeyFile: '',
  clientCertificateKeyId: '',
  signatureAlgorithm: 'RS256',
  iss: '',
  audience: '',
  claims: {},
  scopes: [],
  endpointParams: {},
  tls: DEFAULT_TLS_CONFIG,
  proxy: DEFAULT_PROXY_CONFIG,
};

export const DEFAULT_SCRAPE_CONFIG: Omit<ScrapeConfig, 'jobName'> = {
  scrapeIntervalMs: 60_000,
  scrapeTimeoutMs: 10_000,
  scrapeProtocols: defaultScrapeProtocols(false),
  fallbackScrapeProtocol: null,
  metricsPath: '/metrics',
  scheme: 'http',
  params: {},
  enableCompression: true,
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  targetLimit: 0,
  keepDroppedTargets: 0,
  nativeHistogramBucketLimit: 0,
  nativeHistogramMinBucketFactor: 0,
  nameScheme: 'utf8',
  nameEscapingScheme: 'allow-utf-8',
  scrapeNativeHistograms: false,
  convertClassicHistogramsToNhcb: false,
  alwaysScrapeClassicHistograms: false,
  extraScrapeMetrics: false,
  scrapeFailureLogFile: '',
  httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
  discovery: [],
  relabelConfigs: [],
  metricRelabelConfigs: [],
};

export const DEFAULT_FILE_REFRESH_INTERVAL_MS = 300_000;
export const DEFAULT_HTTP_REFRESH_INTERVAL_MS = 60_000;
export const DEFAULT_DNS_REFRESH_INTERVAL_MS = 30_000;
