/**
 * Lightsail instances.
 * Source: Prometheus documentation, `<lightsail_sd_config>`; Amazon Lightsail API reference,
 * GetInstances.
 */
import type { LabelRecord } from '../../config.ts';
import { awsPlatform, tagLabels } from '../aws/aws-api.ts';
import type { AwsSettings } from '../aws/credentials.ts';
import { hostPort, joinedText, labelText, targetsOf } from '../platform-api.ts';

type LightsailSettings = AwsSettings & { readonly port: number };

type Instance = {
  readonly name?: string;
  readonly supportCode?: string;
  readonly location?: { readonly availabilityZone?: string };
  readonly blueprintId?: string;
  readonly bundleId?: string;
  readonly state?: { readonly name?: string };
  readonly privateIpAddress?: string;
  readonly publicIpAddress?: string;
  readonly ipv6Addresses?: readonly string[];
  readonly tags?: readonly { readonly key: string; readonly value?: string }[];
};
type Page = { readonly instances?: readonly Instance[]; readonly nextPageToken?: string };

const PREFIX = '__meta_lightsail_';

export const create = awsPlatform<LightsailSettings>('lightsail', async (calls) => {
  const { settings, region } = calls;
  const targets: LabelRecord[] = [];
  let pageToken: string | undefined;
  do {
    const body = pageToken === undefined ? {} : { pageToken };
    const page = await calls.json<Page>('lightsail', 'Lightsail_20161128.GetInstances', body);
    const found = targetsOf(page.instances ?? [], (one) =>
      target(one, region, settings.port || 80),
    );
    targets.push(...found);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && pageToken !== '');
  return targets;
});

/** Null for an instance that has no address yet. */
function target(instance: Instance, region: string, port: number): LabelRecord | null {
  const { privateIpAddress: privateIp } = instance;
  if (privateIp === undefined || privateIp === '') return null;
  const tags = (instance.tags ?? []).map(({ key, value = '' }) => ({ key, value }));
  return {
    __address__: hostPort(privateIp, port),
    [`${PREFIX}availability_zone`]: labelText(instance.location?.availabilityZone),
    [`${PREFIX}blueprint_id`]: labelText(instance.blueprintId),
    [`${PREFIX}bundle_id`]: labelText(instance.bundleId),
    [`${PREFIX}instance_name`]: labelText(instance.name),
    [`${PREFIX}instance_state`]: labelText(instance.state?.name),
    [`${PREFIX}instance_support_code`]: labelText(instance.supportCode),
    [`${PREFIX}private_ip`]: privateIp,
    [`${PREFIX}public_ip`]: labelText(instance.publicIpAddress),
    [`${PREFIX}ipv6_addresses`]: joinedText(instance.ipv6Addresses),
    [`${PREFIX}region`]: region,
    ...tagLabels(PREFIX, tags),
  };
}
