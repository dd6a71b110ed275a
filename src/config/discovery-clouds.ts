/** Service discovery of cloud providers. */
import { MINUTE_MS, quoteText } from '../../model/index.ts';
import { checkHttpClient, HTTP_CLIENT_FIELDS, tlsConfig } from './http-client-shape.ts';
import { bool, duration, filePath, int, secret, string } from './scalar-types.ts';
import {
  field,
  type Fields,
  list,
  object,
  type ObjectType,
  optional,
  type Place,
  shown,
} from './type.ts';

const REFRESHED = { refresh_interval: shown(duration, MINUTE_MS) };
const PORT_80 = { port: shown(int, 80) };
const TAG_SEPARATOR = { tag_separator: shown(string, ',') };

/** Fails with `message` when the text at `key` is empty. */
function require(value: object, key: string, place: Place, message: string): void {
  if ((value as Record<string, unknown>)[key] === '') place.fail(message);
}

function requireOneOf(value: object, keys: readonly [string, string], place: Place): void {
  const values = value as Record<string, unknown>;
  const count = keys.filter((key) => values[key] !== '').length;
  if (count === 0) place.fail(`one of ${keys.join(' & ')} must be configured`);
  if (count > 1) place.fail(`at most one of ${keys.join(' & ')} must be configured`, keys[1]);
}

const filter = object({ name: shown(string, ''), values: shown(list(string), []) });

function checkFilters(
  filters: readonly { readonly values: readonly string[] }[],
  what: string,
  place: Place,
): void {
  if (filters.some(({ values }) => values.length === 0)) {
    place.fail(`${what} SD configuration filter values cannot be empty`, 'filters');
  }
}

const AWS_ACCESS = {
  region: shown(string, ''),
  access_key: field(string, ''),
  secret_key: field(secret, ''),
  profile: field(string, ''),
  role_arn: field(string, ''),
  external_id: field(string, ''),
};
const AWS_ROLES = ['ec2', 'ecs', 'elasticache', 'lightsail', 'msk', 'rds'];

const aws = object(
  {
    role: shown(string, ''),
    region: field(string, ''),
    endpoint: field(string, ''),
    access_key: field(string, ''),
    secret_key: field(secret, ''),
    profile: field(string, ''),
    role_arn: field(string, ''),
    external_id: field(string, ''),
    refresh_interval: field(duration, 0),
    port: field(int, 0),
    ...HTTP_CLIENT_FIELDS,
    // The defaults come with the role, later; until then they are shown as they are.
    follow_redirects: shown(bool, false),
    enable_http2: shown(bool, false),
    filters: field(list(filter), []),
    clusters: field(list(string), []),
  },
  (value, place) => {
    if (!AWS_ROLES.includes(value.role)) {
      place.fail(`unknown AWS SD role "${value.role}", expected one of ${AWS_ROLES.join(', ')}`);
    }
    checkFilters(value.filters, 'EC2', place);
    return checkHttpClient(value, place);
  },
);

const ec2 = object(
  {
    endpoint: shown(string, ''),
    ...AWS_ACCESS,
    ...REFRESHED,
    ...PORT_80,
    filters: shown(list(filter), []),
    ...HTTP_CLIENT_FIELDS,
  },
  (value, place) => {
    checkFilters(value.filters, 'EC2', place);
    return checkHttpClient(value, place);
  },
);

const lightsail = object(
  { endpoint: shown(string, ''), ...AWS_ACCESS, ...REFRESHED, ...PORT_80, ...HTTP_CLIENT_FIELDS },
  checkHttpClient,
);

const AZURE_METHODS = new Set(['OAuth', 'ManagedIdentity', 'SDK', 'WorkloadIdentity']);
const azure = object(
  {
    environment: field(string, 'AzurePublicCloud'),
    port: shown(int, 80),
    subscription_id: shown(string, ''),
    tenant_id: field(string, ''),
    client_id: field(string, ''),
    client_secret: field(secret, ''),
    refresh_interval: field(duration, 5 * MINUTE_MS),
    authentication_method: field(string, 'OAuth'),
    resource_group: field(string, ''),
    ...HTTP_CLIENT_FIELDS,
  },
  (value, place) => {
    const what = 'azure SD configuration requires a';
    require(value, 'subscription_id', place, `${what} subscription_id`);
    if (value.authentication_method === 'OAuth') {
      require(value, 'tenant_id', place, `${what} tenant_id`);
      require(value, 'client_id', place, `${what} client_id`);
      require(value, 'client_secret', place, `${what} client_secret`);
    }
    if (!AZURE_METHODS.has(value.authentication_method)) {
      place.fail(
        `unknown authentication_type "${value.authentication_method}". Supported types are "OAuth", "ManagedIdentity", "SDK" or "WorkloadIdentity"`,
        'authentication_method',
      );
    }
    return checkHttpClient(value, place);
  },
);

const digitalocean = object(
  {
    ...HTTP_CLIENT_FIELDS,
    ...REFRESHED,
    ...PORT_80,
    role: shown(string, 'droplets'),
    // An internal of Prometheus that shows in its print.
    httpclient: shown(optional(string).type, null),
  },
  (value, place) => {
    if (value.role !== 'droplets' && value.role !== 'databases') {
      place.fail(`unknown DigitalOcean SD role "${value.role}"`, 'role');
    }
    return checkHttpClient(value, place);
  },
);

const gce = object(
  {
    project: shown(string, ''),
    zone: shown(string, ''),
    filter: field(string, ''),
    ...REFRESHED,
    ...PORT_80,
    tag_separator: field(string, ','),
  },
  (value, place) => {
    require(value, 'project', place, 'GCE SD configuration requires a project');
    require(value, 'zone', place, 'GCE SD configuration requires a zone');
  },
);

const hetzner = object(
  {
    ...HTTP_CLIENT_FIELDS,
    ...REFRESHED,
    ...PORT_80,
    role: shown(string, ''),
    label_selector: field(string, ''),
  },
  (value, place) => {
    require(value, 'role', place, 'role missing (one of: robot, hcloud)');
    if (value.role !== 'robot' && value.role !== 'hcloud') {
      place.fail(`unknown role "${value.role}", expected robot or hcloud`, 'role');
    }
    return checkHttpClient(value, place);
  },
);

const ionos = object(
  { datacenter_id: shown(string, ''), ...HTTP_CLIENT_FIELDS, ...REFRESHED, ...PORT_80 },
  (value, place) => {
    require(value, 'datacenter_id', place, "datacenter id can't be empty");
    return checkHttpClient(value, place);
  },
);

const linode = object(
  {
    ...HTTP_CLIENT_FIELDS,
    ...REFRESHED,
    ...PORT_80,
    ...TAG_SEPARATOR,
    region: field(string, ''),
  },
  checkHttpClient,
);

const oci = object(
  {
    auth: field(string, 'api_key'),
    tenancy: field(string, ''),
    user: field(string, ''),
    fingerprint: field(string, ''),
    key_file: field(filePath, ''),
    key_passphrase: field(secret, ''),
    key_passphrase_file: field(filePath, ''),
    region: shown(string, ''),
    compartments: field(list(string), []),
    ...HTTP_CLIENT_FIELDS,
    ...PORT_80,
    ...REFRESHED,
  },
  (value, place) => {
    require(value, 'region', place, 'oci_sd: region is required');
    if (value.auth === 'api_key') {
      for (const key of ['tenancy', 'user', 'fingerprint', 'key_file']) {
        require(value, key, place, `oci_sd: api_key auth requires ${key}`);
      }
    } else if (value.auth !== 'instance_principal') {
      place.fail(
        `oci_sd: unknown auth method "${value.auth}", expected "api_key" or "instance_principal"`,
        'auth',
      );
    }
    if (value.key_passphrase !== '' && value.key_passphrase_file !== '') {
      place.fail(
        'oci_sd: at most one of key_passphrase and key_passphrase_file must be configured',
        'key_passphrase_file',
      );
    }
    return checkHttpClient(value, place);
  },
);

const OPENSTACK_ROLES = ['instance', 'hypervisor', 'loadbalancer'];
const openstack = object(
  {
    identity_endpoint: shown(string, ''),
    username: shown(string, ''),
    userid: shown(string, ''),
    password: shown(secret, ''),
    project_name: shown(string, ''),
    project_id: shown(string, ''),
    domain_name: shown(string, ''),
    domain_id: shown(string, ''),
    application_credential_name: shown(string, ''),
    application_credential_id: shown(string, ''),
    application_credential_secret: shown(secret, ''),
    role: shown(string, ''),
    region: shown(string, ''),
    ...REFRESHED,
    ...PORT_80,
    all_tenants: field(bool, false),
    tls_config: field(tlsConfig, tlsConfig.initial()),
    availability: field(string, 'public'),
  },
  (value, place) => {
    if (!['public', 'internal', 'admin'].includes(value.availability)) {
      place.fail(
        `unknown availability ${value.availability}, must be one of admin, internal or public`,
        'availability',
      );
    }
    require(value, 'role', place, `role missing (one of: ${OPENSTACK_ROLES.join(', ')})`);
    if (!OPENSTACK_ROLES.includes(value.role)) {
      place.fail(`unknown OpenStack SD role "${value.role}"`, 'role');
    }
    require(value, 'region', place, 'openstack SD configuration requires a region');
  },
);

const outscaleFields = {
  endpoint: field(string, ''),
  region: shown(string, 'eu-west-2'),
  access_key: shown(string, ''),
  secret_key: shown(secret, ''),
  secret_key_file: shown(filePath, ''),
  ...REFRESHED,
  ...PORT_80,
  ...HTTP_CLIENT_FIELDS,
};
const outscale = object(outscaleFields, (value, place) => {
  require(value, 'region', place, 'outscale SD configuration requires a region');
  require(value, 'access_key', place, 'outscale SD configuration requires access_key');
  requireOneOf(value, ['secret_key', 'secret_key_file'], place);
  const endpoint = value.endpoint || `https://api.${value.region}.outscale.com/api/v1`;
  return checkHttpClient({ ...value, endpoint }, place);
});

const ovhcloud = object(
  {
    endpoint: shown(string, 'ovh-eu'),
    application_key: shown(string, ''),
    application_secret: shown(secret, ''),
    consumer_key: shown(secret, ''),
    ...REFRESHED,
    service: shown(string, ''),
  },
  (value, place) => {
    require(value, 'endpoint', place, 'endpoint can not be empty');
    require(value, 'application_key', place, 'application key can not be empty');
    require(value, 'application_secret', place, 'application secret can not be empty');
    require(value, 'consumer_key', place, 'consumer key can not be empty');
    if (value.service !== 'vps' && value.service !== 'dedicated_server') {
      place.fail(`unknown service: ${value.service}, expected vps or dedicated_server`, 'service');
    }
  },
);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const scaleway = object(
  {
    project_id: shown(string, ''),
    api_url: field(string, 'https://api.scaleway.com'),
    zone: shown(string, 'fr-par-1'),
    access_key: shown(string, ''),
    secret_key: shown(secret, ''),
    secret_key_file: shown(filePath, ''),
    name_filter: field(string, ''),
    tags_filter: field(list(string), []),
    ...HTTP_CLIENT_FIELDS,
    ...REFRESHED,
    ...PORT_80,
    role: shown(string, ''),
  },
  (value, place) => {
    require(value, 'role', place, 'role missing (one of: instance, baremetal)');
    if (value.role !== 'instance' && value.role !== 'baremetal') {
      place.fail(`unknown role "${value.role}", expected instance or baremetal`, 'role');
    }
    require(value, 'project_id', place, 'project_id is mandatory');
    requireOneOf(value, ['secret_key', 'secret_key_file'], place);
    require(value, 'access_key', place, 'access_key is mandatory');
    if (value.secret_key !== '' && !UUID.test(value.secret_key)) {
      place.fail('invalid secret key format, expected a UUID', 'secret_key');
    }
    return checkHttpClient(value, place);
  },
);

const stackit = object(
  {
    ...HTTP_CLIENT_FIELDS,
    project: shown(string, ''),
    ...REFRESHED,
    ...PORT_80,
    region: shown(string, 'eu01'),
    endpoint: field(string, ''),
    service_account_key: field(secret, ''),
    service_account_key_path: field(string, ''),
    private_key: field(secret, ''),
    private_key_path: field(string, ''),
    credentials_file_path: field(string, ''),
  },
  (value, place) => {
    if (/^[^a-zA-Z]*:/.test(value.endpoint)) {
      const why = `parse ${quoteText(value.endpoint)}: missing protocol scheme`;
      place.fail(`stackit_sd: invalid endpoint ${quoteText(value.endpoint)}: ${why}`, 'endpoint');
    }
    return checkHttpClient(value, place);
  },
);

const vultr = object({ ...HTTP_CLIENT_FIELDS, ...REFRESHED, ...PORT_80 }, checkHttpClient);

export const CLOUD_SHAPES = {
  aws,
  azure,
  digitalocean,
  ec2,
  gce,
  hetzner,
  ionos,
  lightsail,
  linode,
  oci,
  openstack,
  outscale,
  ovhcloud,
  scaleway,
  stackit,
  vultr,
} as unknown as Readonly<Record<string, ObjectType<Fields>>>;
