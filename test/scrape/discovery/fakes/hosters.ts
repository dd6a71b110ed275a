/** Hosters of virtual machines. Source of the shapes: the API documentation of each. */
import { bearer, type Fake } from './fake.ts';

const VIA = 'VIA_PROXY, authorization: { credentials: word }, refresh_interval: 1s';

// ---- DigitalOcean

const droplet = (id: number, name: string, networks: object, more: object = {}) => ({
  id,
  name,
  memory: 1024,
  vcpus: 1,
  disk: 25,
  status: 'active',
  features: ['backups', 'ipv6'],
  region: { slug: 'nyc3', name: 'New York 3' },
  image: { id: 1, name: '24.04 x64', slug: 'ubuntu-24-04-x64' },
  size_slug: 's-1vcpu-1gb',
  networks,
  tags: ['web', 'prod'],
  vpc_uuid: 'vpc-1',
  ...more,
});

const digitalocean: Fake = {
  name: 'digitalocean droplets',
  mechanism: 'digitalocean',
  settings: `${VIA}, port: 9100`,
  answer: (request, self) => {
    if (!bearer(request)) return { status: 401 };
    if (request.host !== 'api.digitalocean.com' || request.path !== '/v2/droplets') return null;
    if (request.query.get('page') !== '2') {
      const v4 = [
        { ip_address: '1.2.3.4', type: 'public' },
        { ip_address: '10.0.0.1', type: 'private' },
      ];
      const v6 = [{ ip_address: '2001:db8::1', type: 'public' }];
      return {
        json: {
          droplets: [droplet(11, 'web-1', { v4, v6 })],
          links: { pages: { next: `${self.url}/v2/droplets?page=2` } },
          meta: { total: 2 },
        },
      };
    }
    const v4 = [{ ip_address: '1.2.3.5', type: 'public' }];
    const bare = { features: [], tags: [], image: { id: 2, name: 'own' }, vpc_uuid: '' };
    return {
      json: { droplets: [droplet(12, 'bare', { v4 }, bare)], links: {}, meta: { total: 2 } },
    };
  },
};

const digitaloceanDatabases: Fake = {
  name: 'digitalocean databases',
  mechanism: 'digitalocean',
  settings: `${VIA}, role: databases`,
  answer: (request) => {
    if (!bearer(request)) return { status: 401 };
    if (request.path !== '/v2/databases') return null;
    if (request.query.get('page') !== '1') return { json: { databases: [], links: {} } };
    return {
      json: {
        databases: [
          {
            id: 'db-1',
            name: 'shop',
            engine: 'pg',
            version: '16',
            status: 'online',
            region: 'nyc3',
            size: 'db-s-1vcpu-1gb',
            num_nodes: 2,
            tags: ['prod', 'sql'],
            project_id: 'project-1',
            private_network_uuid: 'net-1',
            storage_size_mib: 61440,
            connection: { host: 'shop.db.test', port: 25060 },
            private_connection: { host: 'private-shop.db.test', port: 25060 },
            metrics_endpoints: [{ host: 'metrics.db.test', port: 9273 }],
          },
        ],
        links: {},
        meta: { total: 1 },
      },
    };
  },
};

// ---- Hetzner

const hetznerCloud: Fake = {
  name: 'hetzner hcloud',
  mechanism: 'hetzner',
  settings: `${VIA}, role: hcloud, label_selector: "team=shop"`,
  answer: (request) => {
    if (!bearer(request)) return { status: 401 };
    if (request.host !== 'api.hetzner.cloud') return null;
    const meta = {
      pagination: {
        page: 1,
        per_page: 50,
        previous_page: null,
        next_page: null,
        last_page: 1,
        total_entries: 1,
      },
    };
    if (request.path === '/v1/networks') {
      return { json: { networks: [{ id: 7, name: 'my-net', ip_range: '10.0.0.0/16' }], meta } };
    }
    if (request.path !== '/v1/servers') return null;
    if (request.query.get('label_selector') !== 'team=shop') return { status: 400 };
    const location = { id: 1, name: 'fsn1', network_zone: 'eu-central', city: 'Falkenstein' };
    return {
      json: {
        servers: [
          {
            id: 42,
            name: 'web-1',
            status: 'running',
            public_net: {
              ipv4: { ip: '1.2.3.4', blocked: false },
              ipv6: { ip: '2001:db8::/64', blocked: false },
              floating_ips: [],
            },
            private_net: [{ network: 7, ip: '10.0.0.2', alias_ips: [], mac_address: 'x' }],
            server_type: {
              id: 1,
              name: 'cx11',
              cores: 1,
              memory: 2,
              disk: 20,
              cpu_type: 'shared',
              storage_type: 'local',
            },
            location,
            datacenter: { id: 1, name: 'fsn1-dc8', location },
            image: {
              id: 1,
              type: 'system',
              name: 'debian-12',
              description: 'Debian 12',
              os_flavor: 'debian',
              os_version: '12',
            },
            labels: { team: 'shop', 'my.key': '' },
          },
          {
            id: 43,
            name: 'bare',
            status: 'off',
            public_net: { ipv4: null, ipv6: null, floating_ips: [] },
            private_net: [],
            server_type: { id: 1, name: 'cpx', cores: 2, memory: 2.5, disk: 1, cpu_type: 'shared' },
            location,
            datacenter: { id: 1, name: 'fsn1-dc8', location },
            image: null,
            labels: {},
          },
        ],
        meta,
      },
    };
  },
};

const hetznerRobot: Fake = {
  name: 'hetzner robot',
  mechanism: 'hetzner',
  settings:
    'VIA_PROXY, role: robot, basic_auth: { username: u, password: p }, refresh_interval: 1s',
  answer: ({ host, path, headers }) => {
    if (headers['authorization'] !== 'Basic dTpw') return { status: 401 };
    if (host !== 'robot-ws.your-server.de' || path !== '/server') return null;
    const server = (id: number, cancelled: boolean, subnet: object[] | null) => ({
      server: {
        server_ip: `1.2.3.${id}`,
        server_ipv6_net: '2001:db8::',
        server_number: id,
        server_name: `server-${id}`,
        product: 'EX41',
        dc: 'FSN1-DC1',
        traffic: 'unlimited',
        status: 'ready',
        cancelled,
        paid_until: '2026-12-31',
        ip: [`1.2.3.${id}`],
        subnet,
      },
    });
    return { json: [server(1, false, [{ ip: '2001:db8::', mask: '64' }]), server(2, true, null)] };
  },
};

// ---- Linode

const linode: Fake = {
  name: 'linode',
  mechanism: 'linode',
  settings: `${VIA}, tag_separator: "|"`,
  answer: (request) => {
    if (!bearer(request)) return { status: 401 };
    const page = (data: object[]) => ({
      json: { data, page: 1, pages: 1, results: data.length },
    });
    const path = request.path.replace(/^\/v4(?:beta)?\//, '');
    if (path === 'account/events') return page([]);
    if (path === 'linode/instances') {
      return page([
        {
          id: 26838044,
          label: 'web-1',
          group: 'shop',
          status: 'running',
          type: 'g6-standard-2',
          ipv4: ['1.2.3.4', '192.168.1.1', '1.2.3.5'],
          ipv6: '2001:db8::1/128',
          image: 'linode/debian12',
          region: 'us-east',
          specs: { disk: 81920, memory: 4096, vcpus: 2, gpus: 1, transfer: 4000 },
          alerts: {},
          backups: { enabled: true },
          hypervisor: 'kvm',
          watchdog_enabled: true,
          tags: ['monitoring', 'web'],
        },
        {
          id: 2,
          label: 'bare',
          group: '',
          status: 'offline',
          type: 'g6-nanode-1',
          ipv4: ['1.2.3.9'],
          ipv6: null,
          image: null,
          region: 'us-east',
          specs: { disk: 1, memory: 1, vcpus: 1, gpus: 0, transfer: 1 },
          backups: { enabled: false },
          hypervisor: 'kvm',
          tags: [],
        },
      ]);
    }
    if (path === 'networking/ips') {
      const ip = (address: string, type: string, isPublic: boolean, rdns: string | null) => ({
        address,
        gateway: null,
        subnet_mask: '255.255.255.0',
        prefix: 24,
        type,
        public: isPublic,
        rdns,
        linode_id: 26838044,
        region: 'us-east',
      });
      return page([
        ip('1.2.3.4', 'ipv4', true, 'li-1.members.test'),
        ip('1.2.3.5', 'ipv4', true, 'li-2.members.test'),
        ip('192.168.1.1', 'ipv4', false, 'private.members.test'),
        ip('2001:db8::1', 'ipv6', true, 'six.members.test'),
        { ...ip('1.2.3.9', 'ipv4', true, null), linode_id: 2 },
      ]);
    }
    if (path === 'networking/ipv6/ranges') {
      return page([
        { range: '2001:db8:1::', prefix: 64, region: 'us-east', route_target: '2001:db8::1' },
      ]);
    }
    return null;
  },
};

// ---- Vultr

const vultr: Fake = {
  name: 'vultr',
  mechanism: 'vultr',
  settings: VIA,
  answer: (request) => {
    if (!bearer(request)) return { status: 401 };
    if (request.host !== 'api.vultr.com' || request.path !== '/v2/instances') return null;
    const instance = (id: string, more: object) => ({
      id,
      os: 'Debian 12',
      ram: 1024,
      disk: 25,
      main_ip: '1.2.3.4',
      vcpu_count: 1,
      region: 'atl',
      plan: 'vc2-1c-1gb',
      status: 'active',
      allowed_bandwidth: 1000,
      power_status: 'running',
      server_status: 'ok',
      v6_main_ip: '2001:db8::1',
      label: 'web label',
      internal_ip: '10.1.0.1',
      hostname: 'web-host',
      tags: ['a', 'b'],
      os_id: 477,
      features: ['auto_backups', 'ipv6'],
      ...more,
    });
    const first = request.query.get('cursor') === null || request.query.get('cursor') === '';
    return {
      json: {
        instances: first
          ? [instance('i-1', {})]
          : [instance('i-2', { v6_main_ip: '', internal_ip: '', tags: [], features: [] })],
        meta: { total: 2, links: { next: first ? 'bmV4dA==' : '', prev: '' } },
      },
    };
  },
};

// ---- IONOS

const ionos: Fake = {
  name: 'ionos',
  mechanism: 'ionos',
  settings: `${VIA}, datacenter_id: dc-1`,
  answer: (request) => {
    if (!bearer(request)) return { status: 401 };
    if (!request.path.endsWith('/datacenters/dc-1/servers')) return null;
    const nic = (name: string, ips: string[]) => ({
      id: `nic-${name}`,
      properties: { name, mac: 'x', ips },
    });
    return {
      json: {
        id: 'dc-1/servers',
        type: 'collection',
        items: [
          {
            id: 'server-1',
            type: 'server',
            metadata: { state: 'AVAILABLE' },
            properties: {
              name: 'web-1',
              cores: 2,
              ram: 2048,
              availabilityZone: 'ZONE_2',
              vmState: 'RUNNING',
              bootCdrom: { id: 'cdrom-1' },
              bootVolume: { id: 'volume-1', properties: { image: 'image-1' } },
              cpuFamily: 'INTEL_SKYLAKE',
              type: 'ENTERPRISE',
            },
            entities: {
              volumes: {
                items: [{ id: 'volume-1', properties: { image: 'image-1', bootServer: 's' } }],
              },
              nics: {
                items: [nic('first nic', ['85.215.0.1']), nic('second', ['10.0.0.1', '10.0.0.2'])],
              },
            },
          },
          {
            id: 'server-2',
            type: 'server',
            metadata: { state: 'BUSY' },
            properties: {
              name: 'no address',
              availabilityZone: 'AUTO',
              cpuFamily: 'AMD',
              type: 'CUBE',
              vmState: 'SHUTOFF',
              bootVolume: { id: 'volume-2' },
            },
            entities: { volumes: { items: [] }, nics: { items: [nic('x', [])] } },
          },
        ],
      },
    };
  },
};

export const HOSTERS: readonly Fake[] = [
  digitalocean,
  digitaloceanDatabases,
  hetznerCloud,
  hetznerRobot,
  ionos,
  linode,
  vultr,
];
