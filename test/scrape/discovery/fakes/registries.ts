/** Service registries. Source of the shapes: the API documentation of each. */
import type { Fake } from './fake.ts';

const consulIndex = (waitIndex: string | null) => ({ 'X-Consul-Index': waitIndex ?? '17' });

export const consul: Fake = {
  name: 'consul',
  mechanism: 'consul',
  settings: `server: "HOST", token: word, datacenter: dc1, tags: [metrics], tag_separator: ";",
    node_meta: { rack: "1" }, refresh_interval: 1s`,
  answer: ({ path, headers, query }) => {
    if (headers['x-consul-token'] !== 'word') return { status: 403, text: 'ACL not found' };
    if (query.get('dc') !== 'dc1') return { status: 500, text: 'No path to datacenter' };
    if (path === '/v1/catalog/services') {
      return {
        headers: consulIndex(query.get('index')),
        json: { web: ['metrics', 'v1'], db: [], consul: [] },
      };
    }
    if (path === '/v1/health/service/web') {
      return {
        headers: consulIndex(query.get('index')),
        json: [
          {
            Node: {
              ID: 'n1',
              Node: 'node-1',
              Address: '10.0.0.1',
              Datacenter: 'dc1',
              TaggedAddresses: { lan: '10.0.0.1', 'wan-v4': '1.2.3.4' },
              Meta: { rack: '1', 'os.name': 'linux' },
              Partition: 'part',
            },
            Service: {
              ID: 'web-1',
              Service: 'web',
              Tags: ['metrics', 'v1'],
              Address: '10.1.0.1',
              Port: 8080,
              Meta: { 'team-name': 'shop' },
              Namespace: 'ns',
              Partition: 'part',
            },
            Checks: [
              { CheckID: 'a', Status: 'passing' },
              { CheckID: 'b', Status: 'warning' },
            ],
          },
          {
            Node: { Node: 'node-2', Address: 'fd00::2', Datacenter: 'dc1' },
            Service: { ID: 'web-2', Service: 'web', Tags: ['metrics'], Address: '', Port: 81 },
            Checks: [{ CheckID: 'a', Status: 'critical' }],
          },
          {
            Node: { Node: 'node-3', Address: '10.0.0.3', Datacenter: 'dc1' },
            Service: { ID: 'web-3', Service: 'web', Tags: [], Address: 'fd00::3', Port: 82 },
            Checks: [],
          },
        ],
      };
    }
    return null;
  },
};

export const eureka: Fake = {
  name: 'eureka',
  mechanism: 'eureka',
  settings: 'server: "URL/eureka", basic_auth: { username: u, password: p }, refresh_interval: 1s',
  answer: ({ path, headers }) => {
    if (headers.authorization !== 'Basic dTpw') return { status: 401 };
    if (path !== '/eureka/apps') return null;
    return {
      headers: { 'Content-Type': 'application/xml' },
      text: `<applications>
  <versions__delta>1</versions__delta>
  <apps__hashcode>UP_2_</apps__hashcode>
  <application>
    <name>SHOP</name>
    <instance>
      <instanceId>shop:1 &amp; only</instanceId>
      <hostName>shop-1.test</hostName>
      <app>SHOP</app>
      <ipAddr>10.0.0.1</ipAddr>
      <status>UP</status>
      <overriddenstatus>UNKNOWN</overriddenstatus>
      <port enabled="true">8080</port>
      <securePort enabled="false">443</securePort>
      <countryId>1</countryId>
      <dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo">
        <name>Amazon</name>
        <metadata><ami-id>ami-1</ami-id><zone>a</zone></metadata>
      </dataCenterInfo>
      <metadata>
        <management.port>8090</management.port>
        <team>shop</team>
      </metadata>
      <homePageUrl>http://shop-1.test/</homePageUrl>
      <statusPageUrl>http://shop-1.test/info</statusPageUrl>
      <healthCheckUrl>http://shop-1.test/health</healthCheckUrl>
      <vipAddress>shop</vipAddress>
      <secureVipAddress>shop-s</secureVipAddress>
      <isCoordinatingDiscoveryServer>false</isCoordinatingDiscoveryServer>
    </instance>
    <instance>
      <hostName>shop-2.test</hostName>
      <app>SHOP</app>
      <ipAddr>10.0.0.2</ipAddr>
      <status>DOWN</status>
      <dataCenterInfo class="x"><name>MyOwn</name></dataCenterInfo>
      <metadata class="java.util.Collections$EmptyMap"/>
    </instance>
  </application>
  <application><name>EMPTY</name></application>
</applications>`,
    };
  },
};

export const nomad: Fake = {
  name: 'nomad',
  mechanism: 'nomad',
  settings: `server: "URL", authorization: { credentials: word }, region: global,
    namespace: apps, refresh_interval: 1s`,
  answer: ({ path, headers, query }) => {
    if (headers.authorization !== 'Bearer word') return { status: 403 };
    if (query.get('namespace') !== 'apps') return { status: 500 };
    if (path === '/v1/services') {
      return {
        headers: {
          'X-Nomad-Index': '5',
          'X-Nomad-LastContact': '0',
          'X-Nomad-KnownLeader': 'true',
        },
        json: [
          {
            Namespace: 'apps',
            Services: [
              { ServiceName: 'web', Tags: ['a', 'b'] },
              { ServiceName: 'db', Tags: [] },
            ],
          },
        ],
      };
    }
    const service = path.slice('/v1/service/'.length);
    const headersOut = {
      'X-Nomad-Index': '5',
      'X-Nomad-LastContact': '0',
      'X-Nomad-KnownLeader': 'true',
    };
    const one = (name: string, address: string, port: number, tags: string[]) => ({
      ID: `_nomad-task-${name}`,
      ServiceName: name,
      Namespace: 'apps',
      NodeID: `node-of-${name}`,
      Datacenter: 'dc1',
      JobID: 'job',
      AllocID: 'alloc',
      Tags: tags,
      Address: address,
      Port: port,
      CreateIndex: 1,
      ModifyIndex: 2,
    });
    if (service === 'web') {
      return { headers: headersOut, json: [one('web', '10.0.0.1', 8080, ['a', 'b'])] };
    }
    if (service === 'db') return { headers: headersOut, json: [one('db', 'fd00::1', 0, [])] };
    return null;
  },
};

export const marathon: Fake = {
  name: 'marathon',
  mechanism: 'marathon',
  settings: 'servers: ["URL"], auth_token: word, refresh_interval: 1s',
  answer: ({ path, headers }) => {
    if (headers.authorization !== 'token=word') return { status: 401 };
    if (path !== '/v2/apps/') return null;
    return {
      json: {
        apps: [
          {
            id: '/shop/web',
            labels: { team: 'shop', 'a.b': 'c' },
            tasksRunning: 2,
            container: {
              type: 'DOCKER',
              docker: {
                image: 'shop/web:1',
                portMappings: [{ containerPort: 80, hostPort: 0, labels: { prometheus: 'yes' } }],
              },
              portMappings: [],
            },
            portDefinitions: [
              { port: 31000, labels: { 'port-label': 'x' } },
              { port: 31001, labels: {} },
            ],
            requirePorts: false,
            networks: [],
            tasks: [
              { id: 'task-1', host: 'host-1', ports: [31000, 31001], ipAddresses: [] },
              { id: 'task-2', host: 'host-2', ports: [31002, 31003], ipAddresses: [] },
            ],
          },
          {
            id: '/net',
            labels: {},
            tasksRunning: 1,
            container: {
              docker: { image: 'net:1' },
              portMappings: [{ containerPort: 9000, hostPort: 0, labels: { m: 'n' } }],
            },
            networks: [{ mode: 'container', name: 'dcos' }],
            portDefinitions: [],
            tasks: [
              {
                id: 'task-3',
                host: 'host-3',
                ports: [],
                ipAddresses: [{ ipAddress: '9.0.0.3', protocol: 'IPv4' }],
              },
            ],
          },
          {
            id: '/required',
            labels: {},
            tasksRunning: 1,
            requirePorts: true,
            container: { docker: { image: 'r:1' } },
            portDefinitions: [{ port: 12345, labels: {} }],
            tasks: [{ id: 'task-4', host: 'host-4', ports: [4, 5] }],
          },
          {
            id: '/defs',
            labels: {},
            tasksRunning: 1,
            portDefinitions: [
              { port: 31000, labels: { 'port-label': 'x' } },
              { port: 31001, labels: {} },
            ],
            tasks: [{ id: 'task-5', host: 'host-5', ports: [51, 52] }],
          },
          {
            id: '/bare',
            tasksRunning: 1,
            tasks: [{ id: 'task-6', host: 'host-6', ports: [61, 62] }],
          },
          { id: '/idle', labels: {}, tasksRunning: 0, tasks: [] },
        ],
      },
    };
  },
};

export const puppetdb: Fake = {
  name: 'puppetdb',
  mechanism: 'puppetdb',
  settings: `url: "URL", query: 'resources { type = "Package" }', include_parameters: true,
    port: 9100, refresh_interval: 1s`,
  answer: ({ method, path, body, headers }) => {
    if (method !== 'POST' || path !== '/pdb/query/v4') return null;
    if (!(headers['content-type'] ?? '').startsWith('application/json')) return { status: 415 };
    const { query } = JSON.parse(body) as { query: string };
    if (query !== 'resources { type = "Package" }') return { status: 400 };
    return {
      json: [
        {
          certname: 'host-1.test',
          parameters: {
            ensure: 'present',
            'install-options': ['a', 'b'],
            nested: { x: { y: 1 }, list: [1, 'two', true] },
            flag: true,
            size: 12,
            ratio: 0.5,
            nothing: null,
          },
          resource: 'abc',
          type: 'Package',
          title: 'nginx',
          exported: false,
          tags: ['package', 'nginx'],
          file: '/etc/site.pp',
          line: 3,
          environment: 'prod',
        },
        {
          certname: 'host-2.test',
          parameters: {},
          resource: 'def',
          type: 'Package',
          title: 'curl',
          exported: true,
          tags: [],
          file: null,
          environment: 'test',
        },
      ],
    };
  },
};

export const kuma: Fake = {
  name: 'kuma',
  mechanism: 'kuma',
  settings: 'server: "URL", client_id: me, refresh_interval: 1s',
  answer: ({ method, path, body }) => {
    if (method !== 'POST' || path !== '/v3/discovery:monitoringassignments') return null;
    const request = JSON.parse(body) as { node?: { id?: string }; version_info?: string };
    if (request.node?.id !== 'me') return { status: 400 };
    const type = 'type.googleapis.com/kuma.observability.v1.MonitoringAssignment';
    return {
      json: {
        version_info: 'v1',
        nonce: 'n',
        type_url: type,
        resources: [
          {
            '@type': type,
            mesh: 'default',
            service: 'backend',
            targets: [
              {
                name: 'backend-1',
                scheme: 'https',
                address: '10.0.0.1:1234',
                metrics_path: '/stats',
                labels: { 'kuma.io/zone': 'a', team: 'shop' },
              },
              { name: 'backend-2', scheme: 'http', address: '10.0.0.2:1234' },
            ],
            labels: { commonLabel: 'yes' },
          },
        ],
      },
    };
  },
};

const triton = (role: string, answer: unknown): Fake => ({
  name: `triton ${role}`,
  mechanism: 'triton',
  settings: `account: me, dns_suffix: cmon.test, endpoint: "127.0.0.1", port: TLS_PORT, role: ${role},
    groups: [one, two], tls_config: { insecure_skip_verify: true }, refresh_interval: 1s`,
  answer: ({ path, query }) => {
    const expected = role === 'cn' ? '/v1/gz/discover' : '/v1/discover';
    if (path !== expected) return null;
    if (role !== 'cn' && query.get('groups') !== 'one,two') return { status: 400 };
    return { json: answer };
  },
});

export const tritonContainers = triton('container', {
  containers: [
    {
      groups: ['one', 'two'],
      server_uuid: 'server-1',
      vm_alias: 'web',
      vm_brand: 'lx',
      vm_image_uuid: 'image-1',
      vm_uuid: 'vm-1',
    },
    { server_uuid: 's', vm_alias: 'db', vm_brand: 'kvm', vm_image_uuid: 'i', vm_uuid: 'vm-2' },
  ],
});
export const tritonNodes = triton('cn', {
  cns: [{ server_uuid: 'server-1', server_hostname: 'node-1' }, { server_uuid: 'server-2' }],
});

const xmlValue = (value: unknown): string => {
  if (typeof value === 'number') return `<value><i4>${value}</i4></value>`;
  if (typeof value === 'boolean') return `<value><boolean>${value ? 1 : 0}</boolean></value>`;
  if (typeof value === 'string') return `<value><string>${value}</string></value>`;
  if (Array.isArray(value)) {
    return `<value><array><data>${value.map(xmlValue).join('')}</data></array></value>`;
  }
  const members = Object.entries(value as object).map(
    ([name, member]) => `<member><name>${name}</name>${xmlValue(member)}</member>`,
  );
  return `<value><struct>${members.join('')}</struct></value>`;
};

export const uyuni: Fake = {
  name: 'uyuni',
  mechanism: 'uyuni',
  settings: 'server: "URL", username: u, password: p, refresh_interval: 1s',
  answer: ({ method, path, body }) => {
    if (method !== 'POST' || path !== '/rpc/api') return null;
    const call = /<methodName>(.*?)<\/methodName>/.exec(body)?.[1];
    const params = [...body.matchAll(/<(?:string|i4|int)>(.*?)<\//g)].map(([, text]) => text);
    const answers: Record<string, unknown> = {
      'auth.login': params[0] === 'u' && params[1] === 'p' ? 'session' : undefined,
      'system.listSystemsWithEntitlement': undefined,
      'system.monitoring.listEndpoints': [
        {
          system_id: 1000,
          endpoint_name: 'node',
          exporter_name: 'node_exporter',
          module: 'node',
          path: '/proxied',
          port: 9100,
          tls_enabled: true,
        },
        {
          system_id: 1001,
          endpoint_name: 'db',
          exporter_name: 'postgres_exporter',
          module: '',
          path: '/metrics',
          port: 9187,
          tls_enabled: false,
        },
      ],
      'system.getMinionIdMap': { '1000': 'minion-a' },
      'system.getNetworkForSystems': [
        {
          system_id: 1000,
          primary_fqdn: 'a.test',
          hostname: 'host-a',
          ip: '10.0.0.1',
          ip6: '',
        },
        { system_id: 1001, primary_fqdn: '', hostname: 'host-b', ip: '10.0.0.2', ip6: '' },
      ],
      'system.listSystemGroupsForSystemsWithEntitlement': [
        {
          id: 1000,
          system_groups: [
            { id: 1, name: 'shop' },
            { id: 2, name: 'prod' },
          ],
        },
        { id: 1001, system_groups: [] },
      ],
      'auth.logout': 1,
    };
    const value = answers[call ?? ''];
    if (value === undefined) return { status: 500, text: call };
    return {
      headers: { 'Content-Type': 'text/xml' },
      text: `<?xml version="1.0"?><methodResponse><params><param>${xmlValue(value)}</param></params></methodResponse>`,
    };
  },
};

export const REGISTRIES: readonly Fake[] = [
  consul,
  eureka,
  kuma,
  marathon,
  nomad,
  puppetdb,
  tritonContainers,
  tritonNodes,
  uyuni,
];
