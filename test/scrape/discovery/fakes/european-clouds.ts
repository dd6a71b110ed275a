/** Cloud providers in Europe. Source of the shapes: the API documentation of each. */
import { createPublicKey, createVerify } from 'node:crypto';
import { bearer, RSA_KEY, type Fake } from './fake.ts';

// ---- Scaleway

const SCALEWAY = `api_url: "URL", access_key: SCW00000000000000000,
    project_id: 11111111-1111-1111-1111-111111111111,
    secret_key: 11111111-1111-1111-1111-111111111111, refresh_interval: 1s`;
const scalewayIp = (address: string, family: string) => ({
  id: `ip-${address}`,
  address,
  gateway: '1.1.1.1',
  netmask: '32',
  family,
  dynamic: false,
  provisioning_mode: 'dhcp',
  state: 'attached',
  tags: [],
});

const scalewayInstance: Fake = {
  name: 'scaleway instance',
  mechanism: 'scaleway',
  settings: `${SCALEWAY}, role: instance, name_filter: web, tags_filter: [a]`,
  answer: ({ path, headers, query }) => {
    if (headers['x-auth-token'] !== '11111111-1111-1111-1111-111111111111') return { status: 401 };
    if (path !== '/instance/v1/zones/fr-par-1/servers') return null;
    if (query.get('name') !== 'web' || query.get('tags') !== 'a') return { status: 400 };
    const server = (id: string, more: object) => ({
      id,
      name: 'web',
      arch: 'x86_64',
      boot_type: 'local',
      commercial_type: 'DEV1-S',
      creation_date: '2026-01-01T00:00:00Z',
      hostname: 'web-host',
      image: { id: 'image-1', arch: 'x86_64', name: 'Debian' },
      location: {
        cluster_id: '40',
        hypervisor_id: '1601',
        node_id: '29',
        platform_id: '14',
        zone_id: 'par1',
      },
      organization: 'org-1',
      private_ip: null,
      project: 'project-1',
      public_ip: null,
      public_ips: [],
      security_group: { id: 'sg-1', name: 'Default' },
      state: 'running',
      tags: ['a', 'b'],
      zone: 'fr-par-1',
      ...more,
    });
    const v4 = scalewayIp('51.15.0.1', 'inet');
    const v6 = scalewayIp('2001:db8::1', 'inet6');
    return {
      headers: { 'X-Total-Count': '4' },
      json: {
        servers: [
          server('s-1', {
            private_ip: '10.70.0.1',
            public_ip: v4,
            public_ips: [v4, scalewayIp('51.15.0.2', 'inet'), v6],
            ipv6: { address: '2001:db8::9', gateway: '2001:db8::', netmask: '64' },
          }),
          server('s-2', { public_ip: v4, public_ips: [v4], image: null, security_group: null }),
          server('s-3', { public_ips: [v6], location: null, tags: [] }),
          server('s-4', {}),
        ],
      },
    };
  },
};

const scalewayMetal: Fake = {
  name: 'scaleway baremetal',
  mechanism: 'scaleway',
  settings: `${SCALEWAY}, role: baremetal`,
  answer: ({ path }) => {
    if (path === '/baremetal/v1/zones/fr-par-1/offers') {
      return { json: { total_count: 1, offers: [{ id: 'offer-1', name: 'EM-A' }] } };
    }
    if (path === '/baremetal/v1/zones/fr-par-1/os') {
      return { json: { total_count: 1, os: [{ id: 'os-1', name: 'Debian', version: '12' }] } };
    }
    if (path !== '/baremetal/v1/zones/fr-par-1/servers') return null;
    return {
      json: {
        total_count: 1,
        servers: [
          {
            id: 'metal-1',
            organization_id: 'org-1',
            project_id: 'project-1',
            name: 'metal',
            description: '',
            updated_at: '2026-01-01T00:00:00Z',
            created_at: '2026-01-01T00:00:00Z',
            status: 'ready',
            offer_id: 'offer-1',
            offer_name: 'EM-A',
            tags: ['a', 'b'],
            ips: [
              { id: 'a', address: '51.15.9.1', version: 'IPv4' },
              { id: 'b', address: '2001:db8::99', version: 'IPv6' },
            ],
            domain: 'd',
            boot_type: 'normal',
            zone: 'fr-par-1',
            install: { os_id: 'os-1', hostname: 'h', ssh_key_ids: [], status: 'completed' },
          },
        ],
      },
    };
  },
};

// ---- OVHcloud

const OVH = `endpoint: "URL", application_key: key, application_secret: secret, consumer_key: user,
    refresh_interval: 1s`;
const ovhSigned = (headers: Readonly<Record<string, string | undefined>>) =>
  headers['x-ovh-application'] === 'key' &&
  headers['x-ovh-consumer'] === 'user' &&
  /^\$1\$[0-9a-f]{40}$/.test(headers['x-ovh-signature'] ?? '');

const ovhVps: Fake = {
  name: 'ovhcloud vps',
  documented: ['__meta_ovhcloud_vps_keymap', '__meta_ovhcloud_vps_monitoring_ip_blocks'],
  mechanism: 'ovhcloud',
  settings: `${OVH}, service: vps`,
  answer: ({ path, headers }) => {
    if (path === '/auth/time') return { json: Math.floor(Date.now() / 1000) };
    if (!ovhSigned(headers)) return { status: 403 };
    if (path === '/vps') return { json: ['vps-1.ovh.test'] };
    if (path === '/vps/vps-1.ovh.test/ips') return { json: ['1.2.3.4', '2001:db8::1'] };
    if (path !== '/vps/vps-1.ovh.test') return null;
    return {
      json: {
        offerType: 'ssd',
        monitoringIpBlocks: ['1.0.0.0/24', '2.0.0.0/24'],
        displayName: 'My VPS',
        zone: 'zone-1',
        cluster: 'cluster-1',
        slaMonitoring: false,
        name: 'vps-1.ovh.test',
        vcore: 1,
        state: 'running',
        keymap: ['us', 'fr'],
        netbootMode: 'local',
        model: {
          name: 'vps-ssd-1',
          availableOptions: [],
          maximumAdditionnalIp: 16,
          offer: 'VPS SSD 1',
          disk: 20,
          version: '2019v1',
          vcore: 1,
          memory: 2048,
          datacenter: ['dc-a', 'dc-b'],
        },
        memoryLimit: 2048,
      },
    };
  },
};

const ovhDedicated: Fake = {
  name: 'ovhcloud dedicated',
  mechanism: 'ovhcloud',
  settings: `${OVH}, service: dedicated_server`,
  answer: ({ path, headers }) => {
    if (path === '/auth/time') return { json: Math.floor(Date.now() / 1000) };
    if (!ovhSigned(headers)) return { status: 403 };
    if (path === '/dedicated/server') return { json: ['ns1.test'] };
    if (path === '/dedicated/server/ns1.test/ips') return { json: ['1.2.3.4/32', '2001:db8::1'] };
    if (path !== '/dedicated/server/ns1.test') return null;
    return {
      json: {
        ip: '1.2.3.4',
        newUpgradeSystem: true,
        commercialRange: 'Advance-1',
        rack: 'G101',
        rescueMail: null,
        supportLevel: 'pro',
        bootId: 1,
        linkSpeed: 123,
        professionalUse: false,
        monitoring: true,
        noIntervention: false,
        name: 'ns1.test',
        rootDevice: null,
        state: 'ok',
        datacenter: 'gra3',
        os: 'debian11_64',
        reverse: 'ns1.reverse.test',
        serverId: 1234,
      },
    };
  },
};

// ---- Outscale, STACKIT

const outscale: Fake = {
  name: 'outscale',
  mechanism: 'outscale',
  settings: `endpoint: "URL/api/v1", region: eu-west-2, access_key: AAAAAAAAAAAAAAAAAAAA,
    secret_key: BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB, refresh_interval: 1s`,
  answer: ({ method, path, headers }) => {
    if (method !== 'POST' || path !== '/api/v1/ReadVms') return null;
    const credential = /Credential=AAAAAAAAAAAAAAAAAAAA\/\d{8}\/eu-west-2\/(?:api|oapi)\//;
    if (!credential.test(headers['authorization'] ?? '')) return { status: 401 };
    return {
      headers: { 'Content-Type': 'application/json' },
      json: {
        ResponseContext: { RequestId: 'r' },
        Vms: [
          {
            VmId: 'i-1',
            State: 'running',
            PrivateIp: '10.0.0.1',
            PublicIp: '1.2.3.4',
            Placement: { SubregionName: 'eu-west-2a', Tenancy: 'default' },
            Tags: [
              { Key: 'Name', Value: 'web' },
              { Key: 'a.b', Value: 'c' },
            ],
          },
          {
            VmId: 'i-2',
            State: 'stopped',
            PublicIp: '1.2.3.5',
            Placement: { SubregionName: 'eu-west-2b' },
            Tags: [],
          },
          { VmId: 'i-3', State: 'pending', Tags: [] },
        ],
      },
    };
  },
};

const stackit: Fake = {
  name: 'stackit',
  mechanism: 'stackit',
  settings: `endpoint: "URL", project: project-1, authorization: { credentials: word },
    refresh_interval: 1s`,
  answer: (request) => {
    if (!bearer(request)) return { status: 401 };
    if (!request.path.endsWith('/servers')) return null;
    return {
      json: {
        items: [
          {
            id: 'server-1',
            name: 'web-1',
            availabilityZone: 'eu01-1',
            machineType: 'c1.1',
            status: 'ACTIVE',
            powerStatus: 'RUNNING',
            labels: { team: 'shop', 'a.b': '' },
            nics: [
              { ipv4: '10.0.0.1', networkName: 'my net', publicIp: '1.2.3.4', nicId: 'n' },
              { ipv4: '10.1.0.1', networkName: 'other', nicId: 'm' },
            ],
          },
          {
            id: 'server-2',
            name: 'bare',
            availabilityZone: 'eu01-2',
            machineType: 'c1.1',
            status: 'INACTIVE',
            powerStatus: 'STOPPED',
            nics: [{ ipv4: '10.0.0.2', networkName: 'my net' }],
          },
          { id: 'server-3', name: 'none', status: 'CREATING', nics: [] },
        ],
      },
    };
  },
};

/** The claims of a signed statement; null when it is not signed as it should be. */
function claimsOf(assertion: string): Readonly<Record<string, unknown>> | null {
  const [header = '', payload = '', signature = ''] = assertion.split('.');
  const isSigned = createVerify('RSA-SHA512')
    .update(`${header}.${payload}`)
    .verify(createPublicKey(RSA_KEY), signature, 'base64url');
  const decode = (text: string) =>
    JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
  const { alg, kid } = decode(header);
  return isSigned && alg === 'RS512' && kid === 'key-1' ? decode(payload) : null;
}

const stackitKey: Fake = {
  ...stackit,
  name: 'stackit by key',
  settings: `endpoint: "URL", project: project-1, refresh_interval: 1s,
    service_account_key: '${JSON.stringify({
      credentials: {
        kid: 'key-1',
        iss: 'a@sa.stackit.cloud',
        sub: 'account-1',
        aud: 'https://audience.test',
        privateKey: RSA_KEY,
      },
    })}'`,
  environment: { STACKIT_TOKEN_BASEURL: 'http://HOST/token' },
  answer: (request, self) => {
    if (request.path !== '/token') return stackit.answer(request, self);
    const params = new URLSearchParams(request.body);
    const claims = claimsOf(params.get('assertion') ?? '');
    const isKnown =
      params.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      claims?.['iss'] === 'a@sa.stackit.cloud' &&
      claims['sub'] === 'account-1' &&
      claims['aud'] === 'https://audience.test';
    if (!isKnown) return { status: 401 };
    return { json: { access_token: 'word', token_type: 'Bearer', expires_in: 3600 } };
  },
  recordedAs: 'stackit',
};

export const EUROPEAN_CLOUDS: readonly Fake[] = [
  outscale,
  ovhDedicated,
  ovhVps,
  scalewayInstance,
  scalewayMetal,
  stackit,
  stackitKey,
];
