/** The clouds of Microsoft, Google and Oracle. Source of the shapes: the API documentation of each. */
import { createPublicKey, createVerify, type KeyObject, X509Certificate } from 'node:crypto';
import { type Fake, type FakeRequest, INSTANCE_CERTIFICATE, RSA_KEY } from './fake.ts';

// ---- Azure

const AZURE_GROUP = '/subscriptions/sub-1/resourceGroups/rg-1/providers';
const azureNic = (name: string, privateIp: string, publicIp: string | null, primary: boolean) => ({
  id: `${AZURE_GROUP}/Microsoft.Network/networkInterfaces/${name}`,
  name,
  properties: {
    primary,
    ipConfigurations: [
      {
        name: 'ipconfig',
        properties: {
          privateIPAddress: privateIp,
          primary: true,
          ...(publicIp === null
            ? {}
            : {
                publicIPAddress: { id: 'p', properties: { ipAddress: publicIp } },
              }),
        },
      },
    ],
  },
});
const azureVm = (name: string, nics: object[], more: object = {}, tags: object = {}) => ({
  id: `${AZURE_GROUP}/Microsoft.Compute/virtualMachines/${name}`,
  name,
  type: 'Microsoft.Compute/virtualMachines',
  location: 'westeurope',
  tags,
  properties: {
    vmId: `id-${name}`,
    hardwareProfile: { vmSize: 'Standard_B1s' },
    osProfile: { computerName: `${name}-computer` },
    storageProfile: { osDisk: { osType: 'Linux' } },
    networkProfile: { networkInterfaces: nics },
    ...more,
  },
});

const azure: Fake = {
  name: 'azure',
  mechanism: 'azure',
  settings: `subscription_id: sub-1, tenant_id: tenant-1, client_id: client-1, client_secret: secret,
    port: 9100, VIA_PROXY, refresh_interval: 1s`,
  answer: ({ host, method, path, body, query, headers }) => {
    if (host.startsWith('login.')) {
      const base = `https://${host}/tenant-1`;
      if (path === '/common/discovery/instance') {
        return {
          json: {
            tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`,
            metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
          },
        };
      }
      if (path.endsWith('/.well-known/openid-configuration')) {
        return {
          json: {
            token_endpoint: `${base}/oauth2/v2.0/token`,
            authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
            issuer: `${base}/v2.0`,
          },
        };
      }
      const params = new URLSearchParams(body);
      if (method !== 'POST' || path !== '/tenant-1/oauth2/v2.0/token') return null;
      if (params.get('client_secret') !== 'secret') return { status: 401 };
      return { json: { token_type: 'Bearer', expires_in: 3600, access_token: 'word' } };
    }
    if (headers['authorization'] !== 'Bearer word') return { status: 401 };
    if (query.get('api-version') === null) return { status: 400 };
    const nic = (name: string) => ({
      id: `${AZURE_GROUP}/Microsoft.Network/networkInterfaces/${name}`,
    });
    const scaleSet = `${AZURE_GROUP}/Microsoft.Compute/virtualMachineScaleSets/set-1`;
    switch (path) {
      case '/subscriptions/sub-1/providers/Microsoft.Compute/virtualMachines':
        return {
          json: {
            value: [
              azureVm('web', [nic('nic-1')], {}, { env: 'prod', 'a.b': 'c' }),
              azureVm('lonely', []),
            ],
          },
        };
      case '/subscriptions/sub-1/providers/Microsoft.Compute/virtualMachineScaleSets':
        return { json: { value: [{ id: scaleSet, name: 'set-1', location: 'westeurope' }] } };
      case `${scaleSet}/virtualMachines`: {
        const member = azureVm('set-1_0', [
          { id: `${scaleSet}/virtualMachines/0/networkInterfaces/nic-2` },
        ]);
        return {
          json: {
            value: [{ ...member, id: `${scaleSet}/virtualMachines/0`, instanceId: '0' }],
          },
        };
      }
      case `${AZURE_GROUP}/Microsoft.Network/networkInterfaces/nic-1`:
        return { json: azureNic('nic-1', '10.0.0.1', '1.2.3.4', true) };
      case `${scaleSet}/virtualMachines/0/networkInterfaces/nic-2`:
        return { json: azureNic('nic-2', '10.0.0.2', null, true) };
      default:
        return null;
    }
  },
  expected: [
    {
      __address__: '10.0.0.1:9100',
      __meta_azure_machine_computer_name: 'web-computer',
      __meta_azure_machine_id: `${AZURE_GROUP}/Microsoft.Compute/virtualMachines/web`,
      __meta_azure_machine_location: 'westeurope',
      __meta_azure_machine_name: 'web',
      __meta_azure_machine_os_type: 'Linux',
      __meta_azure_machine_private_ip: '10.0.0.1',
      __meta_azure_machine_public_ip: '1.2.3.4',
      __meta_azure_machine_resource_group: 'rg-1',
      __meta_azure_machine_size: 'Standard_B1s',
      __meta_azure_machine_tag_a_b: 'c',
      __meta_azure_machine_tag_env: 'prod',
      __meta_azure_subscription_id: 'sub-1',
      __meta_azure_tenant_id: 'tenant-1',
    },
    {
      __address__: '10.0.0.2:9100',
      __meta_azure_machine_computer_name: 'set-1_0-computer',
      __meta_azure_machine_id: `${AZURE_GROUP}/Microsoft.Compute/virtualMachineScaleSets/set-1/virtualMachines/0`,
      __meta_azure_machine_location: 'westeurope',
      __meta_azure_machine_name: 'set-1_0',
      __meta_azure_machine_os_type: 'Linux',
      __meta_azure_machine_private_ip: '10.0.0.2',
      __meta_azure_machine_resource_group: 'rg-1',
      __meta_azure_machine_scale_set: 'set-1',
      __meta_azure_machine_size: 'Standard_B1s',
      __meta_azure_subscription_id: 'sub-1',
      __meta_azure_tenant_id: 'tenant-1',
    },
  ],
};

// ---- Google Compute Engine

const gceInterface = (name: string, ip: string, natIP: string | null) => ({
  name,
  network: 'https://compute/networks/default',
  subnetwork: 'https://compute/subnetworks/default',
  networkIP: ip,
  accessConfigs: natIP === null ? [] : [{ type: 'ONE_TO_ONE_NAT', natIP }],
});

const gce: Fake = {
  name: 'gce',
  mechanism: 'gce',
  settings: 'project: shop, zone: zone-a, filter: "name = web", port: 9100, refresh_interval: 1s',
  isLedByProxy: true,
  environment: { GCE_METADATA_HOST: 'HOST' },
  answer: ({ host, path, query, headers }) => {
    if (path === '/computeMetadata/v1/instance/service-accounts/default/token') {
      if (headers['metadata-flavor'] !== 'Google') return { status: 403 };
      return { json: { access_token: 'word', expires_in: 3600, token_type: 'Bearer' } };
    }
    if (headers['authorization'] !== 'Bearer word') return { status: 401 };
    if (host !== 'compute.googleapis.com') return null;
    if (path !== '/compute/v1/projects/shop/zones/zone-a/instances') return null;
    if (query.get('filter') !== 'name = web') return { status: 400 };
    if (query.get('pageToken') === 'more') {
      return { json: { items: [{ id: '2', name: 'without network', networkInterfaces: [] }] } };
    }
    return {
      json: {
        nextPageToken: 'more',
        items: [
          {
            id: '1234567890123456789',
            name: 'web',
            status: 'RUNNING',
            zone: 'https://compute/zones/zone-a',
            machineType: 'https://compute/machineTypes/e2-small',
            labels: { team: 'shop', 'a-b': 'c' },
            tags: { items: ['http', 'prod'] },
            metadata: { items: [{ key: 'startup-script', value: 'run' }] },
            networkInterfaces: [
              gceInterface('nic0', '10.0.0.1', '1.2.3.4'),
              gceInterface('nic1', '10.1.0.1', null),
            ],
          },
        ],
      },
    };
  },
  expected: [
    {
      __address__: '10.0.0.1:9100',
      __meta_gce_instance_id: '1234567890123456789',
      __meta_gce_instance_name: 'web',
      __meta_gce_instance_status: 'RUNNING',
      __meta_gce_interface_ipv4_nic0: '10.0.0.1',
      __meta_gce_interface_ipv4_nic1: '10.1.0.1',
      __meta_gce_label_a_b: 'c',
      __meta_gce_label_team: 'shop',
      __meta_gce_machine_type: 'https://compute/machineTypes/e2-small',
      __meta_gce_metadata_startup_script: 'run',
      __meta_gce_network: 'https://compute/networks/default',
      __meta_gce_private_ip: '10.0.0.1',
      __meta_gce_project: 'shop',
      __meta_gce_public_ip: '1.2.3.4',
      __meta_gce_subnetwork: 'https://compute/subnetworks/default',
      __meta_gce_tags: ',http,prod,',
      __meta_gce_zone: 'https://compute/zones/zone-a',
    },
  ],
};

// ---- Oracle Cloud Infrastructure

const oci: Fake = {
  name: 'oci',
  mechanism: 'oci',
  settings: `tenancy: ten-1, user: user-1, fingerprint: "aa:bb", key_file: RSA_KEY_FILE,
    region: eu-frankfurt-1, port: 9100, VIA_PROXY, refresh_interval: 1s`,
  answer: ({ host, path, query, headers }) => {
    const keyId = /keyId="ten-1\/user-1\/aa:bb",algorithm="rsa-sha256"/;
    const proof = headers['authorization'] ?? '';
    if (!proof.startsWith('Signature version="1"') || !keyId.test(proof)) return { status: 401 };
    const compartment = query.get('compartmentId');
    if (host.startsWith('identity.')) {
      if (path !== '/20160918/compartments') return null;
      return {
        json: [
          { id: 'comp-1', compartmentId: 'ten-1', name: 'shop', lifecycleState: 'ACTIVE' },
          { id: 'comp-2', compartmentId: 'ten-1', name: 'gone', lifecycleState: 'DELETED' },
        ],
      };
    }
    if (host !== 'iaas.eu-frankfurt-1.oraclecloud.com') return null;
    const instance = (id: string, more: object = {}) => ({
      id,
      displayName: `name of ${id}`,
      availabilityDomain: 'AD-1',
      faultDomain: 'FAULT-DOMAIN-1',
      compartmentId: compartment,
      region: 'fra',
      shape: 'VM.Standard.E4.Flex',
      imageId: 'image-1',
      lifecycleState: 'RUNNING',
      timeCreated: '2026-01-01T00:00:00.000Z',
      sourceDetails: { sourceType: 'image', imageId: 'image-1' },
      freeformTags: { appOwner: 'shop', 'a.b': 'c' },
      definedTags: { Operations: { 'Cost Center': 42, flag: true, list: ['x'], text: 'y' } },
      ...more,
    });
    if (path === '/20160918/instances') {
      if (compartment !== 'comp-1') return { json: [] };
      return {
        json: [
          instance('i-1'),
          instance('i-2', { freeformTags: {}, definedTags: {}, lifecycleState: 'STOPPED' }),
          instance('i-3', { freeformTags: {}, definedTags: {}, lifecycleState: 'TERMINATED' }),
        ],
      };
    }
    const attachment = (instanceId: string, vnicId: string, state = 'ATTACHED') => ({
      id: `at-${vnicId}`,
      instanceId,
      vnicId,
      compartmentId: compartment,
      availabilityDomain: 'AD-1',
      lifecycleState: state,
      timeCreated: '2026-01-01T00:00:00.000Z',
    });
    if (path === '/20160918/vnicAttachments') {
      if (compartment !== 'comp-1') return { json: [] };
      return {
        json: [
          attachment('i-1', 'vnic-0', 'DETACHED'),
          attachment('i-1', 'vnic-2'),
          attachment('i-1', 'vnic-1'),
          attachment('i-2', 'vnic-3'),
        ].filter(({ instanceId }) => instanceId === query.get('instanceId')),
      };
    }
    const vnic = (id: string, more: object) => ({
      id,
      availabilityDomain: 'AD-1',
      compartmentId: 'comp-1',
      lifecycleState: 'AVAILABLE',
      timeCreated: '2026-01-01T00:00:00.000Z',
      ...more,
    });
    switch (path) {
      case '/20160918/vnics/vnic-1':
        return {
          json: vnic('vnic-1', {
            isPrimary: true,
            privateIp: '10.0.0.1',
            publicIp: '1.2.3.4',
            hostnameLabel: 'web',
            ipv6Addresses: ['2001:db8::1', '2001:db8::2'],
          }),
        };
      case '/20160918/vnics/vnic-2':
        return { json: vnic('vnic-2', { isPrimary: false, privateIp: '10.0.0.9' }) };
      case '/20160918/vnics/vnic-3':
        return { json: vnic('vnic-3', { isPrimary: true, ipv6Addresses: ['2001:db8::9'] }) };
      default:
        return null;
    }
  },
};

const TOKEN = `e30.${Buffer.from('{"exp":4102444800}').toString('base64url')}.c2ln`;

/** Asked as a user with this key would ask. */
const ociMachine: Fake = {
  ...oci,
  name: 'oci by instance principal',
  settings: 'auth: instance_principal, region: eu-frankfurt-1, port: 9100, refresh_interval: 1s',
  isLedByProxy: true,
  environment: { OCI_METADATA_BASE_URL: 'http://HOST/opc/v2' },
  answer: (request, self) => {
    const { host, path, headers } = request;
    const proof = headers['authorization'] ?? '';
    if (path.startsWith('/opc/v2/')) {
      if (proof !== 'Bearer Oracle') return { status: 401 };
      if (path === '/opc/v2/instance/region') return { text: 'fra' };
      if (path === '/opc/v2/identity/key.pem') return { text: RSA_KEY };
      return path.endsWith('.pem') ? { text: INSTANCE_CERTIFICATE } : null;
    }
    if (host === 'auth.eu-frankfurt-1.oraclecloud.com') {
      const keyId = `ten-1/fed-x509-sha256/${new X509Certificate(INSTANCE_CERTIFICATE).fingerprint256.toLowerCase()}`;
      const { certificate, publicKey } = JSON.parse(request.body) as Record<string, string>;
      const isKnown =
        INSTANCE_CERTIFICATE.replaceAll('\n', '').includes(certificate!) &&
        proof.includes(`keyId="${keyId}"`) &&
        isSigned(request, createPublicKey(RSA_KEY));
      if (path !== '/v1/x509' || !isKnown) return { status: 401 };
      sessionKey = createPublicKey({
        key: Buffer.from(publicKey!, 'base64'),
        format: 'der',
        type: 'spki',
      });
      return { json: { token: TOKEN } };
    }
    const isKnown =
      proof.includes(`keyId="ST$${TOKEN}"`) && sessionKey !== null && isSigned(request, sessionKey);
    if (!isKnown) return { status: 401 };
    return oci.answer({ ...request, headers: { ...headers, authorization: OF_USER } }, self);
  },
  recordedAs: 'oci',
};
/** What the last machine signs with, once it has shown its certificate. */
let sessionKey: KeyObject | null = null;
const OF_USER = 'Signature version="1",keyId="ten-1/user-1/aa:bb",algorithm="rsa-sha256"';

/** Over what the request says that it has signed. */
function isSigned({ method, url, headers }: FakeRequest, key: KeyObject): boolean {
  const proof = headers['authorization'] ?? '';
  const [, names = ''] = /headers="([^"]*)"/.exec(proof) ?? [];
  const [, signature = ''] = /signature="([^"]*)"/.exec(proof) ?? [];
  const target = `${method.toLowerCase()} ${url}`;
  const lines = names.split(' ').map((name) => {
    return `${name}: ${name === '(request-target)' ? target : headers[name]}`;
  });
  return createVerify('RSA-SHA256').update(lines.join('\n')).verify(key, signature, 'base64');
}

export const BIG_CLOUDS: readonly Fake[] = [azure, gce, oci, ociMachine];
