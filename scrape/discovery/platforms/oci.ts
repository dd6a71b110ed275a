/**
 * Compute instances of Oracle Cloud Infrastructure.
 * Source: Prometheus documentation, `<oci_sd_config>`; OCI API, Core Services and Identity.
 */
import { messageOf } from '../../../model/index.ts';
import type { LabelRecord } from '../../config.ts';
import { ociIdentity, type OciSettings, signedGet } from '../oci/identity.ts';
import {
  type CreatePlatform,
  hostPort,
  joinedText,
  jsonOf,
  labelNamePart,
  labelsFrom,
  labelText,
  PlatformApi,
  refreshingWith,
} from '../platform-api.ts';

type Compartment = { readonly id: string; readonly lifecycleState?: string };
type Instance = {
  readonly id: string;
  readonly displayName?: string;
  readonly availabilityDomain?: string;
  readonly faultDomain?: string;
  readonly compartmentId?: string;
  readonly region?: string;
  readonly shape?: string;
  readonly imageId?: string;
  readonly lifecycleState?: string;
  readonly freeformTags?: Readonly<Record<string, string>>;
  readonly definedTags?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};
type Attachment = { readonly vnicId?: string; readonly lifecycleState?: string };
type Vnic = {
  readonly id: string;
  readonly isPrimary?: boolean;
  readonly privateIp?: string;
  readonly publicIp?: string;
  readonly hostnameLabel?: string;
  readonly ipv6Addresses?: readonly string[];
};
/** Reads one resource, or with `all` every page of a list. */
type Ask = {
  one<T>(service: string, route: string): Promise<T>;
  all<T>(service: string, route: string): Promise<T[]>;
};

const API_VERSION = '20160918';
const PAGE_SIZE = 100;
const PREFIX = '__meta_oci_';

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<OciSettings>(config, context);
  const { settings } = api;
  const identity = ociIdentity(api);

  const look = async (signal: AbortSignal) => {
    const signer = await identity.signer(signal);
    const { tenancy } = signer;
    const hosts: Readonly<Record<string, string>> = {
      identity: `https://identity.${settings.region}.oci.oraclecloud.com`,
      iaas: `https://iaas.${settings.region}.oraclecloud.com`,
    };
    const get = async (service: string, route: string) => {
      const url = `${hosts[service]}/${API_VERSION}/${route}`;
      const headers = signedGet(url, signer, context.clock.nowMs());
      return { url, response: await api.fetch(url, signal, { headers }) };
    };
    const ask: Ask = {
      one: async <T>(service: string, route: string) => {
        const { url, response } = await get(service, route);
        return jsonOf(response, url) as T;
      },
      all: async <T>(service: string, route: string) => {
        const found: T[] = [];
        let page = '';
        do {
          const { url, response } = await get(service, `${route}&limit=${PAGE_SIZE}${page}`);
          found.push(...(jsonOf(response, url) as T[]));
          const next = response.headers['opc-next-page'] ?? '';
          page = next === '' ? '' : `&page=${encodeURIComponent(next)}`;
        } while (page !== '');
        return found;
      },
    };
    const targets: LabelRecord[] = [];
    for (const compartment of await compartmentsOf(settings, tenancy, ask, context.logger)) {
      const route = `instances?compartmentId=${encodeURIComponent(compartment)}`;
      for (const instance of await ask.all<Instance>('iaas', route)) {
        const vnic = await primaryVnic(instance, compartment, ask);
        const target = vnic === null ? null : targetOf(instance, vnic, tenancy, settings.port);
        if (target !== null) targets.push(target);
      }
    }
    return [{ source: `OCI_${settings.region}`, labels: {}, targets }];
  };
  return refreshingWith(
    config,
    context,
    look,
    () => {
      identity.close();
      api.close();
    },
    () => identity.forget(),
  );
};

/** Those named, or all that can be reached from the root. */
async function compartmentsOf(
  { compartments }: OciSettings,
  tenancy: string,
  ask: Ask,
  logger: { warn(message: string, fields: Record<string, string>): void },
): Promise<readonly string[]> {
  if (compartments.length > 0) return compartments;
  const all = [tenancy];
  for (const parent of all) {
    const route = `compartments?accessLevel=ACCESSIBLE&compartmentId=${encodeURIComponent(parent)}`;
    try {
      const below = await ask.all<Compartment>('identity', route);
      for (const { id, lifecycleState: state } of below) {
        if (state === 'ACTIVE' && !all.includes(id)) all.push(id);
      }
    } catch (error) {
      // Without the root there is nothing; below it a permission may be missing.
      if (parent === tenancy) throw error;
      logger.warn('Skipping OCI compartment', { compartment: parent, err: messageOf(error) });
    }
  }
  return all;
}

async function primaryVnic(
  instance: Instance,
  compartment: string,
  ask: Ask,
): Promise<Vnic | null> {
  const params = new URLSearchParams({ compartmentId: compartment, instanceId: instance.id });
  const attachments = await ask.all<Attachment>('iaas', `vnicAttachments?${params}`);
  for (const { vnicId, lifecycleState } of attachments) {
    if (vnicId === undefined || lifecycleState !== 'ATTACHED') continue;
    const vnic = await ask.one<Vnic>('iaas', `vnics/${encodeURIComponent(vnicId)}`);
    if (vnic.isPrimary === true) return vnic;
  }
  return null;
}

/** Null for an instance without any address. */
function targetOf(
  instance: Instance,
  vnic: Vnic,
  tenancy: string,
  port: number,
): LabelRecord | null {
  const address = vnic.privateIp || vnic.publicIp || vnic.ipv6Addresses?.[0];
  if (address === undefined || address === '') return null;
  const defined = Object.entries(instance.definedTags ?? {}).map(([namespace, tags]) => {
    const scalars = Object.entries(tags).filter(([, value]) => typeof value !== 'object');
    const of = `${PREFIX}defined_tag_${labelNamePart(namespace)}_`;
    return labelsFrom(of, Object.fromEntries(scalars));
  });
  return {
    __address__: hostPort(address, port),
    [`${PREFIX}availability_domain`]: labelText(instance.availabilityDomain),
    [`${PREFIX}compartment_id`]: labelText(instance.compartmentId),
    [`${PREFIX}fault_domain`]: labelText(instance.faultDomain),
    [`${PREFIX}hostname_label`]: labelText(vnic.hostnameLabel),
    [`${PREFIX}image_id`]: labelText(instance.imageId),
    [`${PREFIX}instance_id`]: instance.id,
    [`${PREFIX}instance_name`]: labelText(instance.displayName),
    [`${PREFIX}instance_shape`]: labelText(instance.shape),
    [`${PREFIX}instance_state`]: labelText(instance.lifecycleState),
    [`${PREFIX}ipv6_addresses`]: joinedText(vnic.ipv6Addresses),
    [`${PREFIX}private_ip`]: labelText(vnic.privateIp),
    [`${PREFIX}public_ip`]: labelText(vnic.publicIp),
    [`${PREFIX}region`]: labelText(instance.region),
    [`${PREFIX}tenancy_id`]: tenancy,
    [`${PREFIX}vnic_id`]: vnic.id,
    ...labelsFrom(`${PREFIX}tag_`, instance.freeformTags),
    ...Object.assign({}, ...defined),
  };
}
