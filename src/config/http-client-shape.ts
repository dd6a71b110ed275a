/**
 * `<http_config>`, which many sections carry inline: authentication, TLS, proxy, headers.
 * Source: Prometheus configuration documentation; order of keys and messages from a running 3.14.
 */
import type { TlsVersion } from '../../scrape/index.ts';
import { quoteText } from '../../model/index.ts';
import { bool, choice, filePath, secret, string, url } from './scalar-types.ts';
import { field, type Fields, list, mapOf, object, optional, type Place, shown } from './type.ts';

const TLS_VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const satisfies readonly TlsVersion[];

/** Fails when more than one of `keys` is set. */
export function atMostOneOf(
  value: Readonly<Record<string, unknown>>,
  place: Place,
  keys: readonly string[],
  message: string,
): void {
  const set = keys.filter((key) => value[key] !== '' && value[key] !== null);
  if (set.length > 1) place.fail(message, set[1]);
}

const basicAuth = object(
  {
    username: field(string, ''),
    username_file: field(filePath, ''),
    username_ref: field(string, ''),
    password: field(secret, ''),
    password_file: field(filePath, ''),
    password_ref: field(string, ''),
  },
  (value, place) => {
    for (const what of ['username', 'password']) {
      atMostOneOf(
        value,
        place,
        [what, `${what}_file`, `${what}_ref`],
        `at most one of basic_auth ${what}, ${what}_file & ${what}_ref must be configured`,
      );
    }
  },
);

const authorization = object(
  {
    type: field(string, ''),
    credentials: field(secret, ''),
    credentials_file: field(filePath, ''),
    credentials_ref: field(string, ''),
  },
  (value, place) => {
    if (value.credentials !== '' && value.credentials_file !== '') {
      place.fail(
        'at most one of authorization credentials & credentials_file must be configured',
        'credentials_file',
      );
    }
    if (value.type.trim().toLowerCase() === 'basic') {
      const what = 'authorization type cannot be set to "basic", use "basic_auth" instead';
      place.fail(what, 'type');
    }
    return { ...value, type: value.type.trim() || 'Bearer' };
  },
);

export const tlsConfig = object(
  {
    ca: field(string, ''),
    cert: field(string, ''),
    key: field(secret, ''),
    ca_file: field(filePath, ''),
    cert_file: field(filePath, ''),
    key_file: field(filePath, ''),
    ca_ref: field(string, ''),
    cert_ref: field(string, ''),
    key_ref: field(string, ''),
    server_name: field(string, ''),
    insecure_skip_verify: shown(bool, false),
    min_version: optional(choice(TLS_VERSIONS, (text) => `unknown TLS version: ${text}`)),
    max_version: optional(choice(TLS_VERSIONS, (text) => `unknown TLS version: ${text}`)),
  },
  (value, place) => {
    const most = 'at most one of';
    atMostOneOf(
      value,
      place,
      ['ca', 'ca_file', 'ca_ref'],
      `${most} ca, ca_file & ca_ref must be configured`,
    );
    atMostOneOf(
      value,
      place,
      ['cert', 'cert_file', 'cert_ref'],
      `${most} cert, cert_file & cert_ref must be configured`,
    );
    atMostOneOf(
      value,
      place,
      ['key', 'key_file', 'key_ref'],
      `${most} key and key_file must be configured`,
    );
    const hasCert = value.cert !== '' || value.cert_file !== '' || value.cert_ref !== '';
    const hasKey = value.key !== '' || value.key_file !== '' || value.key_ref !== '';
    if (hasCert && !hasKey) {
      place.fail(
        'exactly one of key or key_file must be configured when a client certificate is configured',
      );
    }
    if (hasKey && !hasCert) {
      place.fail(
        'exactly one of cert or cert_file must be configured when a client key is configured',
      );
    }
  },
);

const PROXY_FIELDS = {
  proxy_url: field(url, ''),
  no_proxy: field(string, ''),
  proxy_from_environment: field(bool, false),
  proxy_connect_header: field(mapOf(list(secret)), {}),
} satisfies Fields;

type ProxyValues = {
  readonly proxy_url: string;
  readonly no_proxy: string;
  readonly proxy_from_environment: boolean;
  readonly proxy_connect_header: Readonly<Record<string, readonly string[]>>;
};

function checkProxy(value: ProxyValues, place: Place): void {
  if (value.proxy_from_environment) {
    const rule = 'if proxy_from_environment is configured';
    if (value.proxy_url !== '')
      place.fail(`${rule}, proxy_url must not be configured`, 'proxy_url');
    if (value.no_proxy !== '') place.fail(`${rule}, no_proxy must not be configured`, 'no_proxy');
  } else if (value.proxy_url === '') {
    if (value.no_proxy !== '') {
      place.fail('if no_proxy is configured, proxy_url must also be configured', 'no_proxy');
    }
    if (Object.keys(value.proxy_connect_header).length > 0) {
      place.fail(
        'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured',
        'proxy_connect_header',
      );
    }
  }
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

const oauth2 = object(
  {
    client_id: field(string, ''),
    client_secret: field(secret, ''),
    client_secret_file: field(filePath, ''),
    client_secret_ref: field(string, ''),
    client_certificate_key_id: field(string, ''),
    client_certificate_key: field(secret, ''),
    client_certificate_key_file: field(filePath, ''),
    client_certificate_key_ref: field(string, ''),
    grant_type: field(string, ''),
    signature_algorithm: field(string, ''),
    iss: field(string, ''),
    audience: field(string, ''),
    claims: field(mapOf(string), {}),
    scopes: field(list(string), []),
    token_url: field(string, ''),
    endpoint_params: field(mapOf(string), {}),
    tls_config: field(tlsConfig, tlsConfig.initial()),
    ...PROXY_FIELDS,
  },
  (value, place) => {
    if (value.client_id === '') place.fail('oauth2 client_id must be configured');
    if (value.token_url === '') place.fail('oauth2 token_url must be configured');
    const what = value.grant_type === JWT_BEARER ? 'client_certificate_key' : 'client_secret';
    const grant = value.grant_type === JWT_BEARER ? JWT_BEARER : 'client_credentials';
    atMostOneOf(
      value,
      place,
      [what, `${what}_file`, `${what}_ref`],
      `at most one of oauth2 ${what}, ${what}_file & ${what}_ref must be configured using grant-type=${grant}`,
    );
    const { signature_algorithm: algorithm } = value;
    if (grant === JWT_BEARER && algorithm !== '' && !/^RS(?:256|384|512)$/.test(algorithm)) {
      place.fail('valid signature algorithms are RS256, RS384 and RS512', 'signature_algorithm');
    }
    checkProxy(value, place);
  },
);

const httpHeader = object({
  values: field(list(string), []),
  secrets: field(list(secret), []),
  files: field(list(filePath), []),
});

const clientFields = {
  basic_auth: optional(basicAuth),
  authorization: optional(authorization),
  oauth2: optional(oauth2),
  bearer_token: field(secret, ''),
  bearer_token_file: field(filePath, ''),
  tls_config: field(tlsConfig, tlsConfig.initial()),
  follow_redirects: shown(bool, true),
  enable_http2: shown(bool, true),
  ...PROXY_FIELDS,
  http_headers: field(mapOf(httpHeader), {}),
};
/** Spread into the fields of a section; its check calls {@link checkHttpClient}. */
export const HTTP_CLIENT_FIELDS = clientFields satisfies Fields;

const httpClient = object(clientFields);
export type HttpClientValues = ReturnType<(typeof httpClient)['initial']>;
export const NO_HTTP_SETTINGS: HttpClientValues = httpClient.initial();

/** Headers that the client sets itself. Source: messages of a running Prometheus. */
const RESERVED_HEADERS = new Set([
  'authorization',
  'host',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
  'accept-encoding',
  'x-prometheus-remote-write-version',
  'x-prometheus-remote-read-version',
  'x-prometheus-scrape-timeout-seconds',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

/**
 * The rules among the inline keys. A bearer token becomes what it is short for, an authorization.
 */
export function checkHttpClient<V extends HttpClientValues>(value: V, place: Place): V {
  const hasBearer = value.bearer_token !== '' || value.bearer_token_file !== '';
  if (value.bearer_token !== '' && value.bearer_token_file !== '') {
    place.fail(
      'at most one of bearer_token & bearer_token_file must be configured',
      'bearer_token',
    );
  }
  if (hasBearer && (value.basic_auth !== null || value.oauth2 !== null)) {
    place.fail(
      'at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured',
      value.bearer_token === '' ? 'bearer_token_file' : 'bearer_token',
    );
  }
  if (value.authorization !== null && hasBearer) {
    place.fail(
      'authorization is not compatible with bearer_token & bearer_token_file',
      'authorization',
    );
  }
  atMostOneOf(
    value,
    place,
    ['basic_auth', 'oauth2', 'authorization'],
    'at most one of basic_auth, oauth2 & authorization must be configured',
  );
  checkProxy(value, place);
  for (const name of Object.keys(value.http_headers)) {
    if (RESERVED_HEADERS.has(name.toLowerCase())) {
      const canonical = name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (part) => part.toUpperCase());
      place.fail(`setting header "${canonical}" is not allowed`, 'http_headers');
    }
  }
  if (!hasBearer) return value;
  return {
    ...value,
    bearer_token: '',
    bearer_token_file: '',
    authorization: {
      ...authorization.initial(),
      type: 'Bearer',
      credentials: value.bearer_token,
      credentials_file: value.bearer_token_file,
    },
  };
}

/** A URL that must be complete. */
export function checkHttpUrl(text: string, place: Place, key = 'url'): void {
  if (text === '') place.fail('URL is missing');
  if (!/^https?:/i.test(text)) place.fail(`URL scheme must be 'http' or 'https'`, key);
  const host = /^[a-z]+:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (host === '') place.fail('host is missing in URL', key);
  if (/\s/.test(host)) {
    place.fail(`parse ${quoteText(text)}: invalid character " " in host name`, key);
  }
}
