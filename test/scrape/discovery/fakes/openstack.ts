/** An OpenStack cloud. Source of the shapes: the API documentation of each. */
import { type Fake } from './fake.ts';

// ---- OpenStack

function openstack(role: string, more = '', title = role): Fake {
  const address = (ip: string, type: string, mac = 'm') => ({
    addr: ip,
    version: ip.includes(':') ? 6 : 4,
    'OS-EXT-IPS:type': type,
    'OS-EXT-IPS-MAC:mac_addr': mac,
  });
  return {
    name: `openstack ${title}`,
    mechanism: 'openstack',
    settings: `identity_endpoint: "URL/v3", username: u, password: p, project_name: shop,
      domain_name: Default, region: R1, role: ${role}, refresh_interval: 1s${more}`,
    answer: ({ method, path, body, headers }, { url }) => {
      if (method === 'POST' && path === '/v3/auth/tokens') {
        const { auth } = JSON.parse(body) as {
          auth: { identity: { password: { user: { password: string } } } };
        };
        if (auth.identity.password.user.password !== 'p') return { status: 401 };
        const service = (type: string, route: string) => ({
          id: type,
          type,
          name: type,
          endpoints: ['public', 'internal', 'admin'].map((kind) => ({
            id: `${type}-${kind}`,
            interface: kind,
            region: 'R1',
            region_id: 'R1',
            url: url + route,
          })),
        });
        return {
          status: 201,
          headers: { 'X-Subject-Token': 'session' },
          json: {
            token: {
              methods: ['password'],
              expires_at: '2099-01-01T00:00:00.000000Z',
              issued_at: '2026-01-01T00:00:00.000000Z',
              project: { id: 'project-1', name: 'shop' },
              user: { id: 'user-1', name: 'u' },
              catalog: [
                service('compute', '/compute/v2.1/'),
                service('network', '/network/'),
                service('load-balancer', '/lb/'),
              ],
            },
          },
        };
      }
      if (headers['x-auth-token'] !== 'session') return { status: 401 };
      switch (path) {
        case '/network/':
        case '/lb/': {
          const href = `${url}${path}v2.0/`;
          const links = [{ rel: 'self', href }];
          return { json: { versions: [{ id: 'v2.0', status: 'CURRENT', links }] } };
        }
        case '/compute/v2.1/os-hypervisors/detail':
          return {
            json: {
              hypervisors: [
                {
                  id: 1,
                  hypervisor_hostname: 'compute-1',
                  host_ip: '10.0.0.9',
                  state: 'up',
                  status: 'enabled',
                  hypervisor_type: 'QEMU',
                  hypervisor_version: 2002000,
                  cpu_info: '{}',
                  service: { host: 'h', id: 7, disabled_reason: null },
                },
              ],
            },
          };
        case '/compute/v2.1/servers/detail':
          return {
            json: {
              servers: [
                {
                  id: 'instance-1',
                  name: 'web-1',
                  status: 'ACTIVE',
                  tenant_id: 'project-1',
                  user_id: 'user-1',
                  image: { id: 'image-1' },
                  flavor: { id: '1', vcpus: 1, original_name: 'm1.small' },
                  metadata: { env: 'prod', 'a.b': 'c' },
                  addresses: {
                    private: [
                      address('10.0.0.32', 'fixed'),
                      address('172.24.4.1', 'floating'),
                      address('10.0.0.33', 'fixed'),
                    ],
                  },
                },
                {
                  id: 'instance-2',
                  name: 'two-nets',
                  status: 'SHUTOFF',
                  tenant_id: 'project-1',
                  user_id: 'user-1',
                  image: '',
                  flavor: { id: '2' },
                  metadata: {},
                  addresses: {
                    private: [address('fd00::4', 'fixed')],
                    other: [address('10.9.0.4', 'fixed')],
                  },
                },
                {
                  id: 'instance-3',
                  name: 'none',
                  status: 'BUILD',
                  tenant_id: 'p',
                  user_id: 'u',
                  image: null,
                  flavor: { id: '2' },
                  metadata: {},
                  addresses: {},
                },
              ],
            },
          };
        case '/network/v2.0/ports':
          return {
            json: {
              ports: [
                {
                  id: 'port-1',
                  device_id: 'instance-1',
                  fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.32' }],
                },
              ],
            },
          };
        case '/network/v2.0/floatingips':
          return {
            json: {
              floatingips: [
                {
                  id: 'fip-1',
                  port_id: 'port-1',
                  fixed_ip_address: '10.0.0.32',
                  floating_ip_address: '172.24.4.1',
                  status: 'ACTIVE',
                },
                {
                  id: 'fip-2',
                  port_id: 'lb-port',
                  fixed_ip_address: '10.5.0.1',
                  floating_ip_address: '172.24.4.9',
                  status: 'ACTIVE',
                },
              ],
            },
          };
        case '/lb/v2.0/lbaas/loadbalancers':
          return {
            json: {
              loadbalancers: [
                {
                  id: 'lb-1',
                  name: 'front',
                  provider: 'ovn',
                  availability_zone: 'az-1',
                  operating_status: 'ONLINE',
                  provisioning_status: 'ACTIVE',
                  vip_address: '10.5.0.1',
                  vip_port_id: 'lb-port',
                  project_id: 'project-1',
                  tags: ['a', 'b'],
                  listeners: [{ id: 'listener-1' }, { id: 'listener-2' }],
                },
                {
                  id: 'lb-2',
                  name: 'no metrics',
                  vip_address: '10.5.0.2',
                  vip_port_id: 'other',
                  listeners: [{ id: 'listener-2' }],
                },
              ],
            },
          };
        case '/lb/v2.0/lbaas/listeners':
          return {
            json: {
              listeners: [
                {
                  id: 'listener-1',
                  protocol: 'PROMETHEUS',
                  protocol_port: 8088,
                  loadbalancers: [{ id: 'lb-1' }],
                },
                {
                  id: 'listener-2',
                  protocol: 'HTTP',
                  protocol_port: 80,
                  loadbalancers: [{ id: 'lb-2' }],
                },
              ],
            },
          };
        default:
          return null;
      }
    },
  };
}

export const OPENSTACK: readonly Fake[] = [
  openstack('hypervisor'),
  openstack('instance'),
  openstack('instance', ', all_tenants: true, port: 9100', 'instance of all tenants'),
  openstack('loadbalancer'),
];
