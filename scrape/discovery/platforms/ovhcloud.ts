/**
 * Dedicated servers or VPS at OVHcloud.
 * Source: Prometheus documentation, `<ovhcloud_sd_config>`; OVHcloud API, "First steps".
 */
import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { messageOf } from '../../../model/index.ts';
import type { LabelRecord, TargetGroup } from '../../config.ts';
import {
  type CreatePlatform,
  labelText,
  PlatformApi,
  refreshingWith,
  withoutEndSlash,
} from '../platform-api.ts';

type OvhSettings = {
  readonly endpoint: string;
  readonly application_key: string;
  readonly application_secret: string;
  readonly consumer_key: string;
  readonly service: string;
};

type Vps = Readonly<Record<string, unknown>> & {
  readonly model?: Readonly<Record<string, unknown>>;
};
type Dedicated = Readonly<Record<string, unknown>>;

const ENDPOINTS: Readonly<Record<string, string>> = {
  'ovh-eu': 'https://eu.api.ovh.com/1.0',
  'ovh-ca': 'https://ca.api.ovh.com/1.0',
  'ovh-us': 'https://api.us.ovhcloud.com/1.0',
  'kimsufi-eu': 'https://eu.api.kimsufi.com/1.0',
  'kimsufi-ca': 'https://ca.api.kimsufi.com/1.0',
  'soyoustart-eu': 'https://eu.api.soyoustart.com/1.0',
  'soyoustart-ca': 'https://ca.api.soyoustart.com/1.0',
};

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<OvhSettings>(config, context);
  const { endpoint, service } = api.settings;
  const base = withoutEndSlash(ENDPOINTS[endpoint] ?? endpoint);
  const isVps = service === 'vps';
  const collection = isVps ? '/vps' : '/dedicated/server';
  /** What the server's clock is ahead of this one, in seconds; asked for once. */
  let aheadSeconds: number | null = null;

  const ask = async <T>(route: string, signal: AbortSignal): Promise<T> => {
    const nowSeconds = Math.floor(context.clock.nowMs() / 1000);
    if (aheadSeconds === null) {
      const time = await api.json<number>(`${base}/auth/time`, signal);
      aheadSeconds = time - nowSeconds;
    }
    const url = base + route;
    return api.json<T>(url, signal, {
      headers: signature(api.settings, url, nowSeconds + aheadSeconds),
    });
  };

  const look = async (signal: AbortSignal): Promise<TargetGroup[]> => {
    const targets: LabelRecord[] = [];
    for (const name of await ask<readonly string[]>(collection, signal)) {
      const route = `${collection}/${encodeURIComponent(name)}`;
      try {
        const server = await ask<Vps & Dedicated>(route, signal);
        const ips = await ask<readonly string[]>(`${route}/ips`, signal);
        targets.push(isVps ? vpsTarget(server, ips) : dedicatedTarget(server, ips));
      } catch (error) {
        if (signal.aborted) throw error;
        // A server that is just being set up or removed must not take the others along.
        context.logger.warn(`ovhcloud_${service}: Could not get details of ${name}`, {
          err: messageOf(error),
        });
      }
    }
    return [{ source: `ovhcloud_${service}`, labels: {}, targets }];
  };
  return refreshingWith(config, context, look, () => api.close());
};

function signature(
  { application_key: key, application_secret: secret, consumer_key: consumer }: OvhSettings,
  url: string,
  timeSeconds: number,
): Record<string, string> {
  const text = [secret, consumer, 'GET', url, '', String(timeSeconds)].join('+');
  return {
    'X-Ovh-Application': key,
    'X-Ovh-Consumer': consumer,
    'X-Ovh-Timestamp': String(timeSeconds),
    'X-Ovh-Signature': `$1$${createHash('sha1').update(text).digest('hex')}`,
  };
}

/** The first of each family; blocks count by their first address. */
function addressesOf(ips: readonly string[]): { readonly ipv4: string; readonly ipv6: string } {
  const bare = ips.map((ip) => ip.replace(/\/\d+$/, ''));
  return { ipv4: bare.find((ip) => isIPv4(ip)) ?? '', ipv6: bare.find((ip) => isIPv6(ip)) ?? '' };
}

function vpsTarget(vps: Vps, ips: readonly string[]): LabelRecord {
  const of = '__meta_ovhcloud_vps_';
  const { ipv4, ipv6 } = addressesOf(ips);
  const { model = {} } = vps;
  return {
    __address__: ipv4 || ipv6,
    instance: labelText(vps['name']),
    [`${of}offer`]: labelText(model['offer']),
    [`${of}datacenter`]: listText(model['datacenter']),
    // Documented, and not given by Prometheus 3.14.
    [`${of}keymap`]: Array.isArray(vps['keymap'])
      ? listText(vps['keymap'])
      : labelText(vps['keymap']),
    [`${of}monitoring_ip_blocks`]: listText(vps['monitoringIpBlocks']),
    [`${of}model_vcore`]: labelText(model['vcore']),
    [`${of}maximum_additional_ip`]: labelText(model['maximumAdditionnalIp']),
    [`${of}version`]: labelText(model['version']),
    [`${of}model_name`]: labelText(model['name']),
    [`${of}disk`]: labelText(model['disk']),
    [`${of}memory`]: labelText(model['memory']),
    [`${of}zone`]: labelText(vps['zone']),
    [`${of}display_name`]: labelText(vps['displayName']),
    [`${of}cluster`]: labelText(vps['cluster']),
    [`${of}state`]: labelText(vps['state']),
    [`${of}name`]: labelText(vps['name']),
    [`${of}netboot_mode`]: labelText(vps['netbootMode']),
    [`${of}memory_limit`]: labelText(vps['memoryLimit']),
    [`${of}offer_type`]: labelText(vps['offerType']),
    [`${of}vcore`]: labelText(vps['vcore']),
    [`${of}ipv4`]: ipv4,
    [`${of}ipv6`]: ipv6,
  };
}

function dedicatedTarget(server: Dedicated, ips: readonly string[]): LabelRecord {
  const of = '__meta_ovhcloud_dedicated_server_';
  const { ipv4, ipv6 } = addressesOf(ips.filter((ip) => !ip.includes('/') || ip.endsWith('/32')));
  return {
    __address__: ipv4 || ipv6,
    instance: labelText(server['name']),
    [`${of}state`]: labelText(server['state']),
    [`${of}commercial_range`]: labelText(server['commercialRange']),
    [`${of}link_speed`]: labelText(server['linkSpeed']),
    [`${of}rack`]: labelText(server['rack']),
    [`${of}no_intervention`]: labelText(server['noIntervention']),
    [`${of}os`]: labelText(server['os']),
    [`${of}support_level`]: labelText(server['supportLevel']),
    [`${of}server_id`]: labelText(server['serverId']),
    [`${of}reverse`]: labelText(server['reverse']),
    [`${of}datacenter`]: labelText(server['datacenter']),
    [`${of}name`]: labelText(server['name']),
    [`${of}ipv4`]: ipv4,
    [`${of}ipv6`]: ipv6,
  };
}

/** A list in the form in which Prometheus prints one. */
function listText(list: unknown): string {
  return Array.isArray(list) ? `[${list.map(labelText).join(' ')}]` : '';
}
