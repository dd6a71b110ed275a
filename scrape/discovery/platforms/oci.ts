/**
 * Compute instances of Oracle Cloud Infrastructure.
 * Source: Prometheus documentation, `<oci_sd_config>`; OCI API, Core Services and Identity;
 * OCI documentation, "Request Signatures".
 */
import { createPrivateKey, createSign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf, ValueError } from '../../../model/index.ts';
import type { LabelRecord } from '../../config.ts';
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

type OciSettings = {
  readonly auth: string;
  readonly tenancy: string;
  readonly user: string;
  readonly fingerprint: string;
  readonly key_file: string;
  readonly key_passphrase: string;
  readonly key_passphrase_file: string;
  readonly region: string;
  readonly compartments: readonly string[];
  readonly port: number;
};
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
  if (settings.auth !== 'api_key') {
    throw new ValueError(`oci_sd: auth ${settings.auth} is not supported; use api_key`);
  }
  const passphrase =
    settings.key_passphrase_file === ''
      ? settings.key_passphrase
      : readFileSync(settings.key_passphrase_file, 'utf8').trim();

  const look = async (signal: AbortSignal) => {
    const key = createPrivateKey({ key: readFileSync(settings.key_file), passphrase });
    const hosts: Readonly<Record<string, string>> = {
      identity: `https://identity.${settings.region}.oci.oraclecloud.com`,
      iaas: `https://iaas.${settings.region}.oraclecloud.com`,
    };
    const get = async (service: string, route: string) => {
      const url = `${hosts[service]}/${API_VERSION}/${route}`;
      const headers = signedHeaders(url, settings, key, context.clock.nowMs());
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
    for (const compartment of await compartmentsOf(settings, ask, context.logger)) {
      const route = `instances?compartmentId=${encodeURIComponent(compartment)}`;
      for (const instance of await ask.all<Instance>('iaas', route)) {
        const vnic = await primaryVnic(instance, compartment, ask);
        const target = vnic === null ? null : targetOf(instance, vnic, settings);
        if (target !== null) targets.push(target);
      }
    }
    return [{ source: `OCI_${settings.region}`, labels: {}, targets }];
  };
  return refreshingWith(config, context, look, () => api.close());
};

/** Those named, or all that can be reached from the root. */
async function compartmentsOf(
  { compartments, tenancy }: OciSettings,
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
function targetOf(instance: Instance, vnic: Vnic, settings: OciSettings): LabelRecord | null {
  const address = vnic.privateIp || vnic.publicIp || vnic.ipv6Addresses?.[0];
  if (address === undefined || address === '') return null;
  const defined = Object.entries(instance.definedTags ?? {}).map(([namespace, tags]) => {
    const scalars = Object.entries(tags).filter(([, value]) => typeof value !== 'object');
    const of = `${PREFIX}defined_tag_${labelNamePart(namespace)}_`;
    return labelsFrom(of, Object.fromEntries(scalars));
  });
  return {
    __address__: hostPort(address, settings.port),
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
    [`${PREFIX}tenancy_id`]: settings.tenancy,
    [`${PREFIX}vnic_id`]: vnic.id,
    ...labelsFrom(`${PREFIX}tag_`, instance.freeformTags),
    ...Object.assign({}, ...defined),
  };
}

function signedHeaders(
  url: string,
  { tenancy, user, fingerprint }: OciSettings,
  key: KeyObject,
  nowMs: number,
): Record<string, string> {
  const { host, pathname, search } = new URL(url);
  const date = new Date(nowMs).toUTCString();
  const text = `date: ${date}\n(request-target): get ${pathname}${search}\nhost: ${host}`;
  const signature = createSign('RSA-SHA256').update(text).sign(key, 'base64');
  const fields = {
    version: '1',
    headers: 'date (request-target) host',
    keyId: `${tenancy}/${user}/${fingerprint}`,
    algorithm: 'rsa-sha256',
    signature,
  };
  const proof = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  return { Accept: 'application/json', Date: date, Authorization: `Signature ${proof.join(',')}` };
}
