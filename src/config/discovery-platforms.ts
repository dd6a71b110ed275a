/** Service discovery of orchestrators and registries. */
import { MINUTE_MS, SECOND_MS } from '../../model/index.ts';
import {
  atMostOneOf,
  checkHttpClient,
  checkHttpUrl,
  HTTP_CLIENT_FIELDS,
  type HttpClientValues,
  tlsConfig,
} from './http-client-shape.ts';
import { kubernetes } from './kubernetes-shape.ts';
import { bool, duration, filePath, int, secret, string, url } from './scalar-types.ts';
import {
  field,
  type Fields,
  list,
  mapOf,
  object,
  type ObjectType,
  type Place,
  shown,
} from './type.ts';

const filter = object({ name: shown(string, ''), values: shown(list(string), []) });

const consul = object(
  {
    server: field(string, 'localhost:8500'),
    path_prefix: field(string, ''),
    token: field(secret, ''),
    datacenter: field(string, ''),
    namespace: field(string, ''),
    partition: field(string, ''),
    tag_separator: field(string, ','),
    scheme: field(string, 'http'),
    username: field(string, ''),
    password: field(secret, ''),
    allow_stale: shown(bool, true),
    refresh_interval: field(duration, 30 * SECOND_MS),
    services: field(list(string), []),
    tags: field(list(string), []),
    node_meta: field(mapOf(string), {}),
    filter: field(string, ''),
    health_filter: field(string, ''),
    ...HTTP_CLIENT_FIELDS,
  },
  (value, place) => {
    if (value.server.trim() === '') {
      place.fail('consul SD configuration requires a server address');
    }
    let { basic_auth } = value;
    if (value.username !== '' || value.password !== '') {
      if (basic_auth !== null) {
        place.fail(
          'at most one of consul SD configuration username and password and basic auth can be configured',
        );
      }
      const { username, password } = value;
      const unset = { username_file: '', username_ref: '', password_file: '', password_ref: '' };
      basic_auth = { ...unset, username, password };
    }
    if (value.token !== '' && (value.authorization !== null || value.oauth2 !== null)) {
      place.fail('at most one of consul SD token, authorization, or oauth2 can be configured');
    }
    return checkHttpClient({ ...value, basic_auth }, place);
  },
);

function checkHost(host: string, place: Place): void {
  if (host === '') place.fail('host missing');
  if (/^[^a-zA-Z]*:/.test(host)) {
    place.fail(`parse "${host}": missing protocol scheme`, 'host');
  }
}

const docker = object(
  {
    ...HTTP_CLIENT_FIELDS,
    host: shown(string, ''),
    port: shown(int, 80),
    filters: shown(list(filter), []),
    host_networking_host: shown(string, 'localhost'),
    refresh_interval: shown(duration, MINUTE_MS),
    match_first_network: shown(bool, true),
  },
  (value, place) => {
    checkHost(value.host, place);
    return checkHttpClient(value, place);
  },
);

const SWARM_ROLES = new Set(['tasks', 'services', 'nodes']);
const dockerswarm = object(
  {
    ...HTTP_CLIENT_FIELDS,
    host: shown(string, ''),
    role: shown(string, ''),
    port: shown(int, 80),
    filters: shown(list(filter), []),
    refresh_interval: shown(duration, MINUTE_MS),
  },
  (value, place) => {
    checkHost(value.host, place);
    if (value.role === '') place.fail('role missing (one of: tasks, services, nodes)');
    if (!SWARM_ROLES.has(value.role)) {
      place.fail(`invalid role ${value.role}, expected tasks, services, or nodes`, 'role');
    }
    return checkHttpClient(value, place);
  },
);

const eureka = object(
  {
    server: field(string, ''),
    ...HTTP_CLIENT_FIELDS,
    refresh_interval: field(duration, 30 * SECOND_MS),
  },
  (value, place) => {
    if (value.server === '') place.fail('eureka_sd: empty or null eureka server');
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(value.server)) {
      place.fail('eureka_sd: invalid eureka server URL', 'server');
    }
    return checkHttpClient(value, place);
  },
);

const kuma = object(
  {
    ...HTTP_CLIENT_FIELDS,
    refresh_interval: field(duration, 15 * SECOND_MS),
    fetch_timeout: field(duration, 2 * MINUTE_MS),
    server: field(string, ''),
    client_id: field(string, ''),
  },
  (value, place) => {
    if (value.server.trim() === '') place.fail('kuma SD server must not be empty');
    return checkHttpClient(value, place);
  },
);

const marathon = object(
  {
    servers: field(list(string), []),
    refresh_interval: field(duration, 30 * SECOND_MS),
    auth_token: field(secret, ''),
    auth_token_file: field(filePath, ''),
    ...HTTP_CLIENT_FIELDS,
  },
  (value, place) => {
    if (value.servers.length === 0) {
      place.fail('marathon_sd: must contain at least one Marathon server');
    }
    checkMarathonAuth(value, place);
    return checkHttpClient(value, place);
  },
);

function checkMarathonAuth(
  value: HttpClientValues & { readonly auth_token: string; readonly auth_token_file: string },
  place: Place,
): void {
  const fail = (first: string) =>
    place.fail(`marathon_sd: at most one of ${first} must be configured`, 'auth_token');
  if (value.auth_token !== '' && value.auth_token_file !== '') fail('auth_token & auth_token_file');
  if (value.auth_token === '' && value.auth_token_file === '') return;
  if (value.basic_auth !== null) fail('basic_auth, auth_token & auth_token_file');
  if (value.bearer_token !== '' || value.bearer_token_file !== '') {
    fail('bearer_token, bearer_token_file, auth_token & auth_token_file');
  }
  if (value.authorization !== null) fail('auth_token, auth_token_file & authorization');
}

function zookeeper(what: string) {
  return object(
    {
      servers: shown(list(string), []),
      paths: shown(list(string), []),
      timeout: field(duration, 10 * SECOND_MS),
    },
    (value, place) => {
      if (value.servers.length === 0) {
        place.fail(`${what} SD config must contain at least one Zookeeper server`);
      }
      if (value.paths.length === 0) place.fail(`${what} SD config must contain at least one path`);
      for (const path of value.paths) {
        if (!path.startsWith('/')) {
          place.fail(`${what} SD config paths must begin with '/': ${path}`, 'paths');
        }
      }
    },
  );
}

const nomad = object(
  {
    allow_stale: shown(bool, true),
    ...HTTP_CLIENT_FIELDS,
    namespace: shown(string, 'default'),
    refresh_interval: shown(duration, MINUTE_MS),
    region: shown(string, 'global'),
    server: shown(string, 'http://localhost:4646'),
    tag_separator: field(string, ','),
  },
  (value, place) => {
    if (value.server.trim() === '') {
      place.fail('nomad SD configuration requires a server address');
    }
    return checkHttpClient(value, place);
  },
);

const puppetdb = object(
  {
    ...HTTP_CLIENT_FIELDS,
    refresh_interval: field(duration, MINUTE_MS),
    url: shown(url, ''),
    query: shown(string, ''),
    include_parameters: shown(bool, false),
    port: shown(int, 80),
  },
  (value, place) => {
    checkHttpUrl(value.url, place);
    if (value.query === '') place.fail('query missing');
    return checkHttpClient(value, place);
  },
);

const triton = object(
  {
    account: shown(string, ''),
    role: shown(string, 'container'),
    dns_suffix: shown(string, ''),
    endpoint: shown(string, ''),
    groups: field(list(string), []),
    port: shown(int, 9163),
    refresh_interval: field(duration, MINUTE_MS),
    tls_config: field(tlsConfig, tlsConfig.initial()),
    version: shown(int, 1),
  },
  (value, place) => {
    const required = [
      ['account', 'an account'],
      ['dns_suffix', 'a dns_suffix'],
      ['endpoint', 'an endpoint'],
    ] as const;
    for (const [key, what] of required) {
      if (value[key] === '') place.fail(`triton SD configuration requires ${what}`);
    }
    if (value.role !== 'container' && value.role !== 'cn') {
      place.fail("triton SD configuration requires role to be 'container' or 'cn'", 'role');
    }
  },
);

const uyuni = object(
  {
    server: shown(string, ''),
    username: shown(string, ''),
    password: shown(secret, ''),
    ...HTTP_CLIENT_FIELDS,
    entitlement: field(string, 'monitoring_entitled'),
    separator: field(string, ','),
    refresh_interval: field(duration, MINUTE_MS),
  },
  (value, place) => {
    if (value.server === '') place.fail('Uyuni SD configuration requires server host');
    if (value.username === '') place.fail('Uyuni SD configuration requires a username');
    if (value.password === '') place.fail('Uyuni SD configuration requires a password');
    atMostOneOf(
      value,
      place,
      ['basic_auth', 'oauth2', 'authorization'],
      'at most one of basic_auth, oauth2 & authorization must be configured',
    );
    return checkHttpClient(value, place);
  },
);

export const PLATFORM_SHAPES = {
  consul,
  docker,
  dockerswarm,
  eureka,
  kubernetes,
  kuma,
  marathon,
  nerve: zookeeper('nerve'),
  nomad,
  puppetdb,
  serverset: zookeeper('serverset'),
  triton,
  uyuni,
} as unknown as Readonly<Record<string, ObjectType<Fields>>>;
