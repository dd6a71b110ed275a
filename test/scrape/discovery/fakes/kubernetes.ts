/** A Kubernetes API server with one small cluster. Source of the shapes: Kubernetes API reference. */
import type { Fake } from './fake.ts';

type Meta = { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
type KubernetesObject = { readonly metadata: Meta; readonly [key: string]: unknown };

const meta = (namespace: string, name: string, more: object = {}): Meta => ({
  namespace,
  name,
  uid: `uid-of-${name}`,
  resourceVersion: '10',
  ...more,
});
const marked = {
  labels: { app: 'web', 'app.kubernetes.io/part-of': 'shop' },
  annotations: { 'prometheus.io/scrape': 'true', empty: '' },
};
const owned = (kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: 'v1', kind, name, uid: 'u', controller: true }],
});

const nodes: KubernetesObject[] = [
  {
    metadata: { name: 'node-1', uid: 'n1', resourceVersion: '10', ...marked },
    spec: { providerID: 'aws:///i-1' },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'MemoryPressure', status: 'False' },
        { type: 'DiskPressure', status: 'Unknown' },
      ],
      addresses: [
        { type: 'Hostname', address: 'node-1.test' },
        { type: 'ExternalIP', address: '1.2.3.4' },
        { type: 'InternalIP', address: '10.9.0.1' },
        { type: 'InternalIP', address: 'fd00::9:1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  },
  {
    metadata: { name: 'node-2', uid: 'n2', resourceVersion: '10' },
    spec: {},
    status: {
      addresses: [{ type: 'Hostname', address: 'node-2.test' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  },
];

const namespaces: KubernetesObject[] = [
  {
    metadata: {
      name: 'shop',
      resourceVersion: '10',
      labels: { team: 'shop' },
      annotations: { 'cost-centre': '7' },
    },
  },
  { metadata: { name: 'other', resourceVersion: '10' } },
];

const services: KubernetesObject[] = [
  {
    metadata: meta('shop', 'web', marked),
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 },
        { name: 'metrics', protocol: 'TCP', port: 9100 },
      ],
    },
    status: { loadBalancer: {} },
  },
  {
    metadata: meta('shop', 'public'),
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.2',
      loadBalancerIP: '5.6.7.8',
      ports: [{ protocol: 'UDP', port: 53 }],
    },
    status: { loadBalancer: { ingress: [{ ip: '5.6.7.9' }] } },
  },
  {
    metadata: meta('other', 'outside'),
    spec: {
      type: 'ExternalName',
      externalName: 'db.example.com',
      ports: [{ name: 'pg', protocol: 'TCP', port: 5432 }],
    },
    status: { loadBalancer: {} },
  },
];

const webPod: KubernetesObject = {
  metadata: meta('shop', 'web-1', { ...marked, ...owned('ReplicaSet', 'web-rs') }),
  spec: {
    nodeName: 'node-1',
    initContainers: [
      { name: 'setup', image: 'setup:1' },
      { name: 'side', image: 'side:1', restartPolicy: 'Always', ports: [{ containerPort: 7000 }] },
    ],
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [
          { name: 'http', containerPort: 8080, protocol: 'TCP' },
          { name: 'metrics', containerPort: 9100, protocol: 'TCP' },
        ],
      },
      { name: 'helper', image: 'helper:1' },
    ],
  },
  status: {
    phase: 'Running',
    podIP: '10.1.0.1',
    hostIP: '10.9.0.1',
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Ready', status: 'True' },
    ],
    containerStatuses: [
      { name: 'web', containerID: 'containerd://abc', image: 'web:1' },
      { name: 'helper', containerID: 'containerd://def' },
    ],
    initContainerStatuses: [{ name: 'setup', containerID: 'containerd://ghi' }],
  },
};

const pods: KubernetesObject[] = [
  webPod,
  {
    metadata: meta('other', 'report-1', owned('Job', 'report')),
    spec: { nodeName: 'node-2', containers: [{ name: 'main', image: 'report:1', ports: [] }] },
    status: {
      phase: 'Succeeded',
      podIP: 'fd00::1:2',
      hostIP: 'fd00::9:2',
      conditions: [{ type: 'Ready', status: 'False' }],
    },
  },
  {
    metadata: meta('other', 'pending'),
    spec: { containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 1 }] }] },
    status: { phase: 'Pending' },
  },
];

const replicaSets: KubernetesObject[] = [
  { metadata: meta('shop', 'web-rs', owned('Deployment', 'web')), spec: {}, status: {} },
];
const jobs: KubernetesObject[] = [
  { metadata: meta('other', 'report', owned('CronJob', 'nightly')), spec: {}, status: {} },
];

const podRef = (name: string) => ({ kind: 'Pod', name, namespace: 'shop' });

const endpoints: KubernetesObject[] = [
  {
    metadata: meta('shop', 'web', { labels: { ep: 'label' }, annotations: { 'ep.note': 'x' } }),
    subsets: [
      {
        addresses: [
          { ip: '10.1.0.1', hostname: 'web-1', nodeName: 'node-1', targetRef: podRef('web-1') },
          { ip: '10.9.9.9', targetRef: { kind: 'Node', name: 'node-1' } },
        ],
        notReadyAddresses: [{ ip: '10.1.0.9', nodeName: 'node-2' }],
        ports: [
          { name: 'http', port: 8080, protocol: 'TCP' },
          { name: 'admin', port: 8090, protocol: 'TCP' },
        ],
      },
    ],
  },
  {
    metadata: meta('other', 'lonely'),
    subsets: [{ addresses: [{ ip: '1.1.1.1' }], ports: [{ port: 9 }] }],
  },
  { metadata: meta('other', 'empty') },
];

const slices: KubernetesObject[] = [
  {
    metadata: meta('shop', 'web-abc', {
      labels: { 'kubernetes.io/service-name': 'web' },
      annotations: { 'slice.note': 'x' },
      ...owned('Service', 'web'),
    }),
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: ['10.1.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: 'web-1',
        nodeName: 'node-1',
        zone: 'zone-a',
        deprecatedTopology: { 'kubernetes.io/hostname': 'node-1' },
        targetRef: podRef('web-1'),
      },
      { addresses: ['10.9.9.9', '10.9.9.8'], conditions: {} },
    ],
    ports: [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: '', port: null, protocol: null },
    ],
  },
];

const ingressRule = (host: string | undefined, ...paths: string[]) => ({
  ...(host === undefined ? {} : { host }),
  http: {
    paths: paths.map((path) => ({
      path,
      pathType: 'Prefix',
      backend: { service: { name: 'web', port: { number: 80 } } },
    })),
  },
});
const ingresses: KubernetesObject[] = [
  {
    metadata: meta('shop', 'web', marked),
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['shop.test', '*.wild.test'], secretName: 's' }],
      rules: [
        ingressRule('shop.test', '/', '/api'),
        ingressRule('plain.test', ''),
        ingressRule('a.wild.test', '/w'),
        ingressRule('a.b.wild.test', '/x'),
        { host: 'nopath.test' },
        ingressRule(undefined, '/nohost'),
      ],
    },
  },
];

const COLLECTIONS: Readonly<Record<string, readonly [string, string, KubernetesObject[]]>> = {
  '/api/v1/nodes': ['v1', 'Node', nodes],
  '/api/v1/namespaces': ['v1', 'Namespace', namespaces],
  '/api/v1/services': ['v1', 'Service', services],
  '/api/v1/pods': ['v1', 'Pod', pods],
  '/api/v1/endpoints': ['v1', 'Endpoints', endpoints],
  '/apis/discovery.k8s.io/v1/endpointslices': ['discovery.k8s.io/v1', 'EndpointSlice', slices],
  '/apis/networking.k8s.io/v1/ingresses': ['networking.k8s.io/v1', 'Ingress', ingresses],
  '/apis/apps/v1/replicasets': ['apps/v1', 'ReplicaSet', replicaSets],
  '/apis/batch/v1/jobs': ['batch/v1', 'Job', jobs],
};

const answer: Fake['answer'] = ({ path, query, headers }) => {
  if (headers.authorization !== 'Bearer word') return { status: 401 };
  const namespace = /\/namespaces\/([^/]+)\//.exec(path)?.[1];
  const collection = COLLECTIONS[path.replace(/\/namespaces\/[^/]+(?=\/)/, '')];
  if (collection === undefined) return null;
  const [apiVersion, kind, all] = collection;
  const label = query.get('labelSelector') ?? '';
  const items = all
    .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
    .filter(({ metadata }) => {
      const [key, value] = label.split('=');
      const labels = metadata['labels'] as Record<string, string> | undefined;
      return label === '' || labels?.[key!] === value;
    })
    .map((one) => ({ apiVersion, kind, ...one }));
  if (query.get('watch') === null) {
    return {
      json: { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: '100' }, items },
    };
  }
  // Not offered: the whole list as part of the stream.
  if (query.get('sendInitialEvents') !== null) {
    return {
      status: 422,
      json: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'sendInitialEvents is not supported',
        reason: 'Invalid',
        code: 422,
      },
    };
  }
  return { stream: [] };
};

const role = (name: string, more = '', title = name): Fake => ({
  name: `kubernetes ${title}`,
  mechanism: 'kubernetes',
  isWatched: true,
  settings: `api_server: "URL", authorization: { credentials: word }, role: ${name}${more}`,
  answer,
});
const ALL_METADATA =
  ', attach_metadata: { node: true, namespace: true, deployment: true, job: true, cronjob: true }';

export const KUBERNETES: readonly Fake[] = [
  role('node'),
  role('service'),
  role('service', ', attach_metadata: { namespace: true }', 'service with its namespace'),
  role('pod'),
  role('pod', ALL_METADATA, 'pod with all metadata'),
  role('pod', ', namespaces: { names: [other] }', 'pod of a namespace'),
  role('pod', ', selectors: [ { role: pod, label: "app=web" } ]', 'pod by selector'),
  role('endpoints'),
  role('endpoints', ALL_METADATA, 'endpoints with all metadata'),
  role('endpointslice'),
  role('endpointslice', ALL_METADATA, 'endpointslice with all metadata'),
  role('ingress'),
];
