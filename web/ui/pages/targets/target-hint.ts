/** What a person can do about a failed scrape, told from the server's error text. Pure. */
export type TargetFacts = { lastError: string; scrapeUrl: string; scrapeTimeout: string };

type Hint = (facts: TargetFacts, found: RegExpExecArray) => string;

const HINTS: readonly [RegExp, Hint][] = [
  [
    /connection refused|ECONNREFUSED/i,
    ({ scrapeUrl }) =>
      `Nothing listens on ${hostOf(scrapeUrl)}. Is the exporter running, and on this port and address? Inside a container, localhost is the container itself.`,
  ],
  [
    /no such host|ENOTFOUND|EAI_AGAIN|server misbehaving/i,
    ({ scrapeUrl }) =>
      `The name ${hostOf(scrapeUrl)} cannot be resolved from the server. Check its spelling and the server's DNS.`,
  ],
  [
    /context deadline exceeded|timed? ?out|ETIMEDOUT/i,
    ({ scrapeTimeout }) =>
      `No complete answer within scrape_timeout (${scrapeTimeout}). A firewall may drop the connection, or the target is slow: look at the durations, and raise the timeout if they are honest.`,
  ],
  [
    /no route to host|network is unreachable|EHOSTUNREACH|ENETUNREACH/i,
    () => 'The server has no way to this address. Check routes, VPNs and firewalls.',
  ],
  [/HTTP status (\d+)/i, ({ scrapeUrl }, found) => statusHint(Number(found[1]), scrapeUrl)],
  [
    /x509|certificate|self.signed|CERT_/i,
    () =>
      'The certificate is not trusted, expired, or for another name. Set tls_config.ca_file or server_name in the scrape configuration.',
  ],
  [
    /HTTP response to HTTPS client|first record does not look like a TLS handshake|wrong version number/i,
    () =>
      'The target speaks plain HTTP, but the scheme is https. Remove scheme: https, or turn TLS on there.',
  ],
  [
    /sample.?limit/i,
    () =>
      'The target has more samples than sample_limit allows. Raise the limit, or drop metrics with metric_relabel_configs.',
  ],
  [
    /body.?size.?limit|body size/i,
    () =>
      'The answer is larger than body_size_limit. Raise the limit, or let the target expose less.',
  ],
  [
    /label.?(?:limit|name|value).*(?:limit|exceeded)/i,
    () => 'Some series has more or longer labels than the label limits of this job allow.',
  ],
  [
    /Content-Type|fallback_scrape_protocol/i,
    () =>
      'The answer does not say that it is metrics. Check metrics_path; if it is right, set fallback_scrape_protocol for this job.',
  ],
  [
    /expected .*got|invalid metric|unexpected end|parse|unsupported character|invalid UTF-8|invalid syntax/i,
    ({ scrapeUrl }) =>
      `The answer is not in an exposition format. Open ${scrapeUrl} and look: often it is an HTML page, because metrics_path is wrong.`,
  ],
  [
    /\bEOF\b|connection reset|ECONNRESET|socket hang up/i,
    () =>
      'The connection was closed half-way. The target may have crashed, or a proxy in between gave up.',
  ],
];

export function targetHint(facts: TargetFacts): string | undefined {
  for (const [pattern, hint] of HINTS) {
    const found = pattern.exec(facts.lastError);
    if (found !== null) return hint(facts, found);
  }
  return undefined;
}

function statusHint(status: number, scrapeUrl: string): string {
  if (status === 401 || status === 403) {
    return 'The target wants to know who asks. Set basic_auth, authorization or oauth2 for this job, or check the credentials.';
  }
  if (status === 404) return `There is nothing at ${pathOf(scrapeUrl)}. Check metrics_path.`;
  if (status === 429) return 'The target asks to be scraped less often. Raise scrape_interval.';
  if (status >= 500) return 'The target failed on its side. Its own log says why.';
  if (status >= 300 && status < 400) {
    return 'The target answers with a redirect. Point the job to its final address, or set follow_redirects.';
  }
  return 'The target refused the request. Check metrics_path and params.';
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
