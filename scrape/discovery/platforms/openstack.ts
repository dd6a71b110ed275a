/**
 * Instances, hypervisors or load balancers of an OpenStack cloud.
 * Source: Prometheus documentation, `<openstack_sd_config>`; OpenStack APIs Identity v3, Compute
 * v2.1, Networking v2.0 and Load Balancer v2.
 */
import { ValueError } from '../../../model/index.ts';
import { HeldToken } from '../../cloud-auth/held-token.ts';
import type { LabelRecord, TargetGroup } from '../../config.ts';
import {
  type CreatePlatform,
  hostPort,
  jsonOf,
  labelsFrom,
  labelText,
  PlatformApi,
  refreshingWith,
  statusError,
  withoutEndSlash,
} from '../platform-api.ts';

type OpenStackSettings = {
  readonly identity_endpoint: string;
  readonly username: string;
  readonly userid: string;
  readonly password: string;
  readonly project_name: string;
  readonly project_id: string;
  readonly domain_name: string;
  readonly domain_id: string;
  readonly application_credential_name: string;
  readonly application_credential_id: string;
  readonly application_credential_secret: string;
  readonly role: string;
  readonly region: string;
  readonly port: number;
  readonly all_tenants: boolean;
  readonly availability: string;
};

type Endpoint = { readonly interface?: string; readonly region?: string; readonly url: string };
type Catalog = readonly { readonly type: string; readonly endpoints?: readonly Endpoint[] }[];
type Session = { readonly token: string; readonly catalog: Catalog; readonly endMs: number };
type Hypervisor = Readonly<Record<string, unknown>>;
type Instance = {
  readonly id?: string;
  readonly name?: string;
  readonly status?: string;
  readonly tenant_id?: string;
  readonly user_id?: string;
  readonly image?: { readonly id?: string } | string | null;
  readonly flavor?: { readonly id?: string; readonly original_name?: string };
  readonly metadata?: Readonly<Record<string, string>>;
  readonly addresses?: Readonly<
    Record<string, readonly { readonly addr: string; readonly 'OS-EXT-IPS:type'?: string }[]>
  >;
};
type Port = {
  readonly id: string;
  readonly device_id?: string;
  readonly fixed_ips?: readonly { readonly ip_address?: string }[];
};
type FloatingIp = {
  readonly port_id?: string | null;
  readonly fixed_ip_address?: string | null;
  readonly floating_ip_address?: string;
};
type LoadBalancer = Readonly<Record<string, unknown>> & {
  readonly id?: string;
  readonly vip_address?: string;
  readonly vip_port_id?: string;
  readonly tags?: readonly string[];
};
type Listener = {
  readonly protocol?: string;
  readonly protocol_port?: number;
  readonly loadbalancers?: readonly { readonly id?: string }[];
};
/** Reads a whole list from one of the cloud's services. */
type Ask = <T>(service: string, route: string, key: string) => Promise<T[]>;

const PREFIX = '__meta_openstack_';

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<OpenStackSettings>(config, context);
  const session = new HeldToken(context.clock, (signal) => logIn(api, signal));
  const look = async (signal: AbortSignal): Promise<TargetGroup[]> => {
    const { token, catalog } = await session.get(signal);
    const headers = { 'X-Auth-Token': token };
    const ask: Ask = async <T>(service: string, route: string, key: string) => {
      type Page = Record<string, unknown>;
      const all: T[] = [];
      let url: string | undefined = endpointOf(catalog, service, api.settings) + route;
      while (url !== undefined) {
        const page: Page = await api.json<Page>(url, signal, { headers });
        all.push(...((page[key] ?? []) as T[]));
        const links = page[`${key}_links`] as readonly { rel: string; href: string }[] | undefined;
        url = links?.find(({ rel }) => rel === 'next')?.href;
      }
      return all;
    };
    const targets = await targetsOf(api.settings, ask);
    return [{ source: `OS_${api.settings.region}`, labels: {}, targets }];
  };
  return refreshingWith(
    config,
    context,
    look,
    () => api.close(),
    () => session.forget(),
  );
};

function targetsOf(settings: OpenStackSettings, ask: Ask): Promise<LabelRecord[]> {
  switch (settings.role) {
    case 'hypervisor':
      return hypervisors(settings, ask);
    case 'loadbalancer':
      return loadBalancers(ask);
    default:
      return instances(settings, ask);
  }
}

async function logIn(api: PlatformApi<OpenStackSettings>, signal: AbortSignal): Promise<Session> {
  const base = withoutEndSlash(identityEndpoint(api.settings));
  const url = `${base}/auth/tokens`;
  const response = await api.ask(url, signal, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ auth: authentication(api.settings) }),
  });
  if (response.status !== 201 && response.status !== 200) throw statusError(url, response);
  type Answer = { token?: { catalog?: Catalog; expires_at?: string } };
  const { token } = jsonOf(response, url) as Answer;
  return {
    token: response.headers['x-subject-token'] ?? '',
    catalog: token?.catalog ?? [],
    // An answer that names no end is good for this look.
    endMs: Date.parse(token?.expires_at ?? '') || api.context.clock.nowMs(),
  };
}

/** Where the configuration does not say, the environment of OpenStack's own tools does. */
function identityEndpoint({ identity_endpoint: endpoint }: OpenStackSettings): string {
  const found = endpoint || process.env['OS_AUTH_URL'];
  if (found === undefined || found === '') {
    throw new ValueError('identity_endpoint is missing, and so is OS_AUTH_URL');
  }
  return found;
}

function authentication(settings: OpenStackSettings): object {
  const env = (value: string, name: string) => value || (process.env[name] ?? '');
  const domainId = env(settings.domain_id, 'OS_DOMAIN_ID');
  const domainName = env(settings.domain_name, 'OS_DOMAIN_NAME');
  const domain = domainId === '' ? { name: domainName } : { id: domainId };
  const hasDomain = domainId !== '' || domainName !== '';
  const userId = env(settings.userid, 'OS_USERID');
  const userName = env(settings.username, 'OS_USERNAME');
  const user =
    userId === '' ? { name: userName, ...(hasDomain ? { domain } : {}) } : { id: userId };

  const { application_credential_id: id, application_credential_name: name } = settings;
  if (id !== '' || name !== '') {
    const secret = settings.application_credential_secret;
    const credential = id === '' ? { name, secret, user } : { id, secret };
    return {
      identity: { methods: ['application_credential'], application_credential: credential },
    };
  }
  const password = env(settings.password, 'OS_PASSWORD');
  const projectId = env(settings.project_id, 'OS_PROJECT_ID');
  const projectName = env(settings.project_name, 'OS_PROJECT_NAME');
  const identity = { methods: ['password'], password: { user: { ...user, password } } };
  if (projectId !== '') return { identity, scope: { project: { id: projectId } } };
  if (projectName !== '') {
    return { identity, scope: { project: { name: projectName, domain } } };
  }
  return { identity };
}

function endpointOf(catalog: Catalog, service: string, settings: OpenStackSettings): string {
  const found = catalog
    .filter(({ type }) => type === service)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .find((one) => one.interface === settings.availability && one.region === settings.region);
  if (found === undefined) {
    const what = `no ${settings.availability} endpoint of ${service}`;
    throw new ValueError(`${what} in region ${settings.region}`);
  }
  const base = withoutEndSlash(found.url);
  // Compute has its version in the catalog already.
  return service === 'compute' || /\/v\d[\d.]*$/.test(base) ? base : `${base}/v2.0`;
}

async function hypervisors({ port }: OpenStackSettings, ask: Ask): Promise<LabelRecord[]> {
  const all = await ask<Hypervisor>('compute', '/os-hypervisors/detail', 'hypervisors');
  const of = `${PREFIX}hypervisor_`;
  return all.map((one) => ({
    __address__: hostPort(labelText(one['host_ip']), port),
    [`${of}id`]: labelText(one['id']),
    [`${of}hostname`]: labelText(one['hypervisor_hostname']),
    [`${of}host_ip`]: labelText(one['host_ip']),
    [`${of}state`]: labelText(one['state']),
    [`${of}status`]: labelText(one['status']),
    [`${of}type`]: labelText(one['hypervisor_type']),
  }));
}

async function instances(settings: OpenStackSettings, ask: Ask): Promise<LabelRecord[]> {
  const ports = await ask<Port>('network', '/ports', 'ports');
  const floating = await ask<FloatingIp>('network', '/floatingips', 'floatingips');
  const devices = new Map(ports.map(({ id, device_id: device }) => [id, device]));
  /** By device and the address inside. */
  const publicIps = new Map(
    floating.map((one) => [
      `${devices.get(one.port_id ?? '') ?? ''} ${one.fixed_ip_address ?? ''}`,
      labelText(one.floating_ip_address),
    ]),
  );
  const query = settings.all_tenants ? '?all_tenants=true' : '';
  const servers = await ask<Instance>('compute', `/servers/detail${query}`, 'servers');
  return servers.flatMap((server) => instanceTargets(server, publicIps, settings.port));
}

function instanceTargets(
  server: Instance,
  publicIps: ReadonlyMap<string, string>,
  port: number,
): LabelRecord[] {
  const of = `${PREFIX}instance_`;
  const { image, flavor } = server;
  const labels = {
    [`${of}id`]: labelText(server.id),
    [`${of}name`]: labelText(server.name),
    [`${of}status`]: labelText(server.status),
    [`${of}flavor`]: labelText(flavor?.original_name ?? flavor?.id),
    [`${of}image`]: typeof image === 'object' ? labelText(image?.id) : '',
    [`${PREFIX}project_id`]: labelText(server.tenant_id),
    [`${PREFIX}user_id`]: labelText(server.user_id),
    ...labelsFrom(`${PREFIX}tag_`, server.metadata),
  };
  return Object.entries(server.addresses ?? {}).flatMap(([pool, addresses]) =>
    addresses
      .filter((address) => address['OS-EXT-IPS:type'] !== 'floating')
      .map(({ addr }) => ({
        __address__: hostPort(addr, port),
        ...labels,
        [`${PREFIX}address_pool`]: pool,
        [`${PREFIX}private_ip`]: addr,
        [`${PREFIX}public_ip`]: publicIps.get(`${labelText(server.id)} ${addr}`) ?? '',
      })),
  );
}

async function loadBalancers(ask: Ask): Promise<LabelRecord[]> {
  const service = 'load-balancer';
  const balancers = await ask<LoadBalancer>(service, '/lbaas/loadbalancers', 'loadbalancers');
  const listeners = await ask<Listener>(service, '/lbaas/listeners', 'listeners');
  const floating = await ask<FloatingIp>('network', '/floatingips', 'floatingips');
  const of = `${PREFIX}loadbalancer_`;
  return balancers.flatMap((balancer): LabelRecord[] => {
    const listener = listeners.find(
      ({ protocol, loadbalancers: its }) =>
        protocol === 'PROMETHEUS' && its?.some(({ id }) => id === balancer.id) === true,
    );
    if (listener === undefined) return [];
    const outside = floating.find(({ port_id: id }) => id === balancer.vip_port_id);
    const vip = labelText(balancer.vip_address);
    return [
      {
        __address__: hostPort(vip, listener.protocol_port ?? 0),
        [`${of}id`]: labelText(balancer.id),
        [`${of}name`]: labelText(balancer['name']),
        [`${of}availability_zone`]: labelText(balancer['availability_zone']),
        [`${of}operating_status`]: labelText(balancer['operating_status']),
        [`${of}provisioning_status`]: labelText(balancer['provisioning_status']),
        [`${of}provider`]: labelText(balancer['provider']),
        [`${of}floating_ip`]: labelText(outside?.floating_ip_address),
        [`${of}vip`]: vip,
        [`${of}tags`]: (balancer.tags ?? []).join(','),
        [`${PREFIX}project_id`]: labelText(balancer['project_id']),
      },
    ];
  });
}
