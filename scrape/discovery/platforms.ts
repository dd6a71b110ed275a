/** The mechanisms in `platforms`, loaded when a configuration names them. */
import type { LabelRecord, PlatformDiscoveryConfig, TargetGroup } from '../config.ts';
import { type CreatePlatform, labelText } from './platform-api.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';

const LOADERS: Readonly<Record<string, () => Promise<{ readonly create: CreatePlatform }>>> = {
  aws: () => import('./platforms/aws.ts'),
  azure: () => import('./platforms/azure.ts'),
  consul: () => import('./platforms/consul.ts'),
  digitalocean: () => import('./platforms/digitalocean.ts'),
  docker: () => import('./platforms/docker.ts'),
  dockerswarm: () => import('./platforms/dockerswarm.ts'),
  ec2: () => import('./platforms/ec2.ts'),
  eureka: () => import('./platforms/eureka.ts'),
  gce: () => import('./platforms/gce.ts'),
  hetzner: () => import('./platforms/hetzner.ts'),
  ionos: () => import('./platforms/ionos.ts'),
  kubernetes: () => import('./platforms/kubernetes.ts'),
  kuma: () => import('./platforms/kuma.ts'),
  lightsail: () => import('./platforms/lightsail.ts'),
  linode: () => import('./platforms/linode.ts'),
  marathon: () => import('./platforms/marathon.ts'),
  nerve: () => import('./platforms/nerve.ts'),
  nomad: () => import('./platforms/nomad.ts'),
  oci: () => import('./platforms/oci.ts'),
  openstack: () => import('./platforms/openstack.ts'),
  outscale: () => import('./platforms/outscale.ts'),
  ovhcloud: () => import('./platforms/ovhcloud.ts'),
  puppetdb: () => import('./platforms/puppetdb.ts'),
  scaleway: () => import('./platforms/scaleway.ts'),
  serverset: () => import('./platforms/serverset.ts'),
  stackit: () => import('./platforms/stackit.ts'),
  triton: () => import('./platforms/triton.ts'),
  uyuni: () => import('./platforms/uyuni.ts'),
  vultr: () => import('./platforms/vultr.ts'),
};

/** As in the configuration's keys: `kubernetes` for `kubernetes_sd_configs`. */
export const PLATFORM_MECHANISMS: ReadonlySet<string> = new Set(Object.keys(LOADERS));

/**
 * A mechanism whose code comes when it is started.
 * @param onFailed  told when it cannot be started, for want of a file say
 */
export function createPlatformProvider(
  config: PlatformDiscoveryConfig,
  context: ProviderContext,
  onFailed: (error: unknown) => void,
): DiscoveryProvider {
  let isStopped = false;
  let provider: DiscoveryProvider | null = null;
  const run = async (update: (groups: readonly TargetGroup[]) => void) => {
    try {
      const { create } = await LOADERS[config.mechanism]!();
      if (isStopped) return;
      provider = create(config, context);
      provider.start((groups) => update(groups.map(withTextLabels)));
    } catch (error) {
      if (!isStopped) onFailed(error);
    }
  };
  return {
    start: (update) => void run(update),
    stop: () => {
      isStopped = true;
      provider?.stop();
    },
  };
}

/**
 * Labels are text, whatever a platform answers: numbers and truth values are written, the rest of
 * what its documentation does not allow there is left out.
 */
function withTextLabels(group: TargetGroup): TargetGroup {
  const isText = (labels: LabelRecord) =>
    Object.values(labels as Record<string, unknown>).every((value) => typeof value === 'string');
  if (isText(group.labels) && group.targets.every(isText)) return group;
  const asText = (labels: LabelRecord): LabelRecord =>
    Object.fromEntries(
      Object.entries(labels)
        .map(([name, value]) => [name, labelText(value)])
        .filter(([, value]) => value !== ''),
    );
  return { ...group, labels: asText(group.labels), targets: group.targets.map(asText) };
}
