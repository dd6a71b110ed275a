/**
 * EC2 instances.
 * Source: Prometheus documentation, `<ec2_sd_config>`; Amazon EC2 API reference, DescribeInstances
 * and DescribeAvailabilityZones.
 */
import type { LabelRecord } from '../../config.ts';
import {
  type AwsCalls,
  awsPlatform,
  type Filter,
  filterParams,
  tagLabels,
} from '../aws/aws-api.ts';
import type { AwsSettings } from '../aws/credentials.ts';
import { hostPort, joinedText } from '../platform-api.ts';
import { childrenAt, textAt, type XmlElement } from '../xml.ts';

type Ec2Settings = AwsSettings & {
  readonly port: number;
  readonly filters: readonly Filter[];
};
type Place = {
  readonly region: string;
  readonly port: number;
  readonly zoneIds: ReadonlyMap<string, string>;
};

const API_VERSION = '2016-11-15';
const PREFIX = '__meta_ec2_';

export const create = awsPlatform<Ec2Settings>('ec2', async (calls) => {
  const { settings, region } = calls;
  const port = settings.port || 80;
  const place: Place = { region, port, zoneIds: await zoneIdsOf(calls) };
  const params = {
    Action: 'DescribeInstances',
    Version: API_VERSION,
    ...filterParams('Filter', 'Value', settings.filters),
  };
  const targets: LabelRecord[] = [];
  let next = '';
  do {
    const page = next === '' ? params : { ...params, NextToken: next };
    const answer = await calls.query('ec2', page);
    for (const reservation of childrenAt(answer, 'reservationSet')) {
      const owner = textAt(reservation, 'ownerId');
      for (const instance of childrenAt(reservation, 'instancesSet')) {
        const found = target(instance, owner, place);
        if (found !== null) targets.push(found);
      }
    }
    next = textAt(answer, 'nextToken');
  } while (next !== '');
  return targets;
});

/** Asking for zones needs a permission that not everybody gives; without it the label is absent. */
async function zoneIdsOf(calls: AwsCalls<Ec2Settings>): Promise<Map<string, string>> {
  const params = { Action: 'DescribeAvailabilityZones', Version: API_VERSION };
  try {
    const answer = await calls.query('ec2', params);
    const zones = childrenAt(answer, 'availabilityZoneInfo');
    return new Map(zones.map((zone) => [textAt(zone, 'zoneName'), textAt(zone, 'zoneId')]));
  } catch {
    return new Map();
  }
}

/** Null for an instance without any address. */
function target(instance: XmlElement, owner: string, place: Place): LabelRecord | null {
  const text = (...names: string[]) => textAt(instance, ...names);
  const privateIp = text('privateIpAddress');
  const { all, primary } = ipv6Of(instance);
  const address = privateIp || primary.find((ip) => ip !== '') || all[0];
  if (address === undefined) return null;
  const zone = text('placement', 'availabilityZone');
  const isInNetwork = text('vpcId') !== '';
  const subnets = childrenAt(instance, 'networkInterfaceSet').map((one) => textAt(one, 'subnetId'));
  const tags = childrenAt(instance, 'tagSet').map((tag) => ({
    key: textAt(tag, 'key'),
    value: textAt(tag, 'value'),
  }));
  return {
    __address__: hostPort(address, place.port),
    [`${PREFIX}instance_id`]: text('instanceId'),
    [`${PREFIX}region`]: place.region,
    [`${PREFIX}owner_id`]: owner,
    [`${PREFIX}private_ip`]: privateIp,
    [`${PREFIX}private_dns_name`]: text('privateDnsName'),
    [`${PREFIX}public_ip`]: text('ipAddress'),
    [`${PREFIX}public_dns_name`]: text('dnsName'),
    [`${PREFIX}platform`]: text('platform'),
    [`${PREFIX}ami`]: text('imageId'),
    [`${PREFIX}availability_zone`]: zone,
    [`${PREFIX}availability_zone_id`]: place.zoneIds.get(zone) ?? '',
    [`${PREFIX}instance_state`]: text('instanceState', 'name'),
    [`${PREFIX}instance_type`]: text('instanceType'),
    [`${PREFIX}instance_lifecycle`]: text('instanceLifecycle'),
    [`${PREFIX}architecture`]: text('architecture'),
    ...(isInNetwork
      ? {
          [`${PREFIX}vpc_id`]: text('vpcId'),
          [`${PREFIX}primary_subnet_id`]: text('subnetId'),
          [`${PREFIX}subnet_id`]: joinedText([...new Set(subnets)]),
          [`${PREFIX}ipv6_addresses`]: joinedText(all),
          [`${PREFIX}primary_ipv6_addresses`]: joinedText(primary),
          [`${PREFIX}default_ipv6_address`]: primary.find((ip) => ip !== '') ?? all[0] ?? '',
        }
      : {}),
    ...tagLabels(PREFIX, tags),
  };
}

/** All addresses, and the primary ones at the places of their interfaces, with gaps. */
function ipv6Of(instance: XmlElement): { readonly all: string[]; readonly primary: string[] } {
  const all: string[] = [];
  const primary: string[] = [];
  for (const networkInterface of childrenAt(instance, 'networkInterfaceSet')) {
    const index = Number(textAt(networkInterface, 'attachment', 'deviceIndex'));
    for (const address of childrenAt(networkInterface, 'ipv6AddressesSet')) {
      const ip = textAt(address, 'ipv6Address');
      all.push(ip);
      if (textAt(address, 'isPrimaryIpv6') !== 'true') continue;
      while (primary.length < index) primary.push('');
      primary[index] = ip;
    }
  }
  return { all, primary };
}
