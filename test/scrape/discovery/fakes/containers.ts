/** Docker Engine and Swarm. Source of the shapes: Docker Engine API. */
import type { Fake, FakeAnswer, FakeRequest } from './fake.ts';

/** Every path may begin with the API's version. */
function engine(answer: (path: string, request: FakeRequest) => unknown): Fake['answer'] {
  return (request): FakeAnswer | null => {
    // Credentials are not needed to negotiate the version.
    const headers = { 'Api-Version': '1.44', Ostype: 'linux' };
    if (request.path === '/_ping') return { headers, text: 'OK' };
    const json = answer(request.path.replace(/^\/v[\d.]+/, ''), request);
    return json === undefined ? null : { headers, json };
  };
}

const network = (id: string, name: string, more: object = {}) => ({
  Name: name,
  Id: id,
  Created: '2026-01-01T00:00:00Z',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv6: false,
  Internal: false,
  Attachable: false,
  Ingress: false,
  Labels: {},
  ...more,
});

const NETWORKS = [
  network('net-b', 'backend', { Internal: true, Labels: { 'net.label': 'x' } }),
  network('net-f', 'frontend', { Scope: 'swarm' }),
  network('net-host', 'host'),
];

const endpoint = (id: string, ip: string) => ({
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  NetworkID: id,
  EndpointID: `endpoint-${ip}`,
  Gateway: '',
  IPAddress: ip,
  IPPrefixLen: 16,
});

const container = (id: string, name: string, mode: string, networks: object, ports: object[]) => ({
  Id: id,
  Names: [`/${name}`],
  Image: `${name}:1`,
  ImageID: `sha256:${name}`,
  Command: 'run',
  Created: 1,
  Ports: ports,
  Labels: { 'com.example.team': name, empty: '' },
  State: 'running',
  Status: 'Up',
  HostConfig: { NetworkMode: mode },
  NetworkSettings: { Networks: networks },
  Mounts: [],
});

const CONTAINERS_LIST = [
  container(
    'c1',
    'web',
    'frontend',
    { frontend: endpoint('net-f', '10.2.0.1'), backend: endpoint('net-b', '10.1.0.1') },
    [
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { PrivatePort: 9100, Type: 'tcp' },
      { PrivatePort: 53, Type: 'udp' },
    ],
  ),
  container('c2', 'plain', 'backend', { backend: endpoint('net-b', '10.1.0.2') }, []),
  container('c3', 'hosted', 'host', { host: endpoint('net-host', '') }, []),
  container('c4', 'sidecar', 'container:c1', {}, []),
  container('c5', 'lost', 'container:c99', {}, []),
];

const dockerAnswer = engine((path, { query, headers }) => {
  if (headers.authorization !== 'Basic dTpw') return undefined;
  if (path === '/networks') return NETWORKS;
  if (path !== '/containers/json') return undefined;
  const filters = JSON.parse(query.get('filters') ?? '{}') as Record<string, object>;
  return filters['status'] === undefined ? undefined : CONTAINERS_LIST;
});

const dockerSettings = `host: "URL", basic_auth: { username: u, password: p },
    filters: [ { name: status, values: [running] } ], refresh_interval: 1s`;

const swarmNetworks = [
  network('ing', 'ingress', { Scope: 'swarm', Ingress: true, Driver: 'overlay' }),
  network('app', 'app', { Scope: 'swarm', Driver: 'overlay', Labels: { 'net.label': 'x' } }),
];

const services = [
  {
    ID: 's1',
    Version: { Index: 1 },
    Spec: {
      Name: 'web',
      Labels: { 'com.example.team': 'shop' },
      TaskTemplate: {
        ContainerSpec: { Image: 'web:1@sha256:x', Hostname: 'web-host', Labels: { inner: 'y' } },
      },
      Mode: { Replicated: { Replicas: 2 } },
      EndpointSpec: { Mode: 'vip' },
    },
    Endpoint: {
      Spec: { Mode: 'vip' },
      Ports: [
        {
          Name: 'http',
          Protocol: 'tcp',
          TargetPort: 80,
          PublishedPort: 8080,
          PublishMode: 'ingress',
        },
        { Protocol: 'udp', TargetPort: 53, PublishedPort: 53, PublishMode: 'ingress' },
      ],
      VirtualIPs: [
        { NetworkID: 'ing', Addr: '10.255.0.2/16' },
        { NetworkID: 'app', Addr: '10.0.1.2/24' },
      ],
    },
    UpdateStatus: { State: 'completed' },
  },
  {
    ID: 's2',
    Version: { Index: 1 },
    Spec: {
      Name: 'agent',
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: 'agent:1' } },
      Mode: { Global: {} },
    },
    Endpoint: { Spec: {}, VirtualIPs: [{ NetworkID: 'app', Addr: '10.0.1.9/24' }] },
  },
];

const nodes = [
  {
    ID: 'n1',
    Version: { Index: 1 },
    Spec: { Labels: { rack: '1', 'node.kind': 'big' }, Role: 'manager', Availability: 'active' },
    Description: {
      Hostname: 'node-1',
      Platform: { Architecture: 'x86_64', OS: 'linux' },
      Engine: { EngineVersion: '24.0' },
    },
    Status: { State: 'ready', Addr: '10.9.0.1' },
    ManagerStatus: { Leader: true, Reachability: 'reachable', Addr: '10.9.0.1:2377' },
  },
  {
    ID: 'n2',
    Version: { Index: 1 },
    Spec: { Labels: {}, Role: 'worker', Availability: 'drain' },
    Description: {
      Hostname: 'node-2',
      Platform: { Architecture: 'aarch64', OS: 'linux' },
      Engine: { EngineVersion: '24.0' },
    },
    Status: { State: 'down', Addr: '10.9.0.2' },
  },
];

const attachment = (id: string, ...addresses: string[]) => ({
  Network: { ID: id, Spec: { Name: id }, DriverState: {} },
  Addresses: addresses,
});

const tasks = [
  {
    ID: 't1',
    Version: { Index: 1 },
    ServiceID: 's1',
    NodeID: 'n1',
    Slot: 1,
    DesiredState: 'running',
    Spec: { ContainerSpec: { Image: 'web:1', Labels: { 'inner.label': 'y' } } },
    Status: {
      State: 'running',
      ContainerStatus: { ContainerID: 'c1', PID: 7, ExitCode: 0 },
      PortStatus: {
        Ports: [
          { Protocol: 'tcp', TargetPort: 80, PublishedPort: 32000, PublishMode: 'host' },
          { Protocol: 'udp', TargetPort: 53, PublishedPort: 53, PublishMode: 'host' },
        ],
      },
    },
    NetworksAttachments: [attachment('ing', '10.255.0.7/16'), attachment('app', '10.0.1.7/24')],
  },
  {
    ID: 't2',
    Version: { Index: 1 },
    ServiceID: 's2',
    NodeID: 'n2',
    DesiredState: 'shutdown',
    Spec: { ContainerSpec: { Image: 'agent:1' } },
    Status: { State: 'failed', ContainerStatus: { ContainerID: 'c2' }, PortStatus: {} },
    NetworksAttachments: [attachment('app', '10.0.1.8/24')],
  },
  {
    ID: 't3',
    Version: { Index: 1 },
    ServiceID: 's2',
    NodeID: 'n1',
    DesiredState: 'running',
    Spec: { ContainerSpec: { Image: 'agent:1' } },
    Status: {
      State: 'running',
      ContainerStatus: { ContainerID: 'c3' },
      PortStatus: { Ports: [{ Protocol: 'tcp', TargetPort: 1, PublishedPort: 2 }] },
    },
    NetworksAttachments: [attachment('app', '10.0.1.10/24', '10.0.1.11/24')],
  },
];

const swarm = (role: string): Fake => ({
  name: `dockerswarm ${role}`,
  mechanism: 'dockerswarm',
  settings: `host: "tcp://HOST", role: ${role}, port: 9323, refresh_interval: 1s`,
  answer: engine((path) => {
    const lists: Record<string, unknown> = {
      '/services': services,
      '/tasks': tasks,
      '/nodes': nodes,
      '/networks': swarmNetworks,
    };
    return lists[path];
  }),
});

export const CONTAINERS: readonly Fake[] = [
  { name: 'docker', mechanism: 'docker', settings: dockerSettings, answer: dockerAnswer },
  {
    name: 'docker, all networks',
    mechanism: 'docker',
    settings: `${dockerSettings}, match_first_network: false, host_networking_host: box, port: 99`,
    answer: dockerAnswer,
  },
  swarm('services'),
  swarm('tasks'),
  swarm('nodes'),
];
