/**
 * Virtual machines at Outscale.
 * Source: Prometheus documentation, `<outscale_sd_config>`; Outscale API, ReadVms.
 */
import { readFileSync } from 'node:fs';
import type { LabelRecord } from '../../config.ts';
import {
  hostPort,
  labelNamePart,
  labelText,
  refreshing,
  targetsOf,
  withoutEndSlash,
} from '../platform-api.ts';
import { signedHeaders } from '../../http/signature-v4.ts';

type OutscaleSettings = {
  readonly endpoint: string;
  readonly region: string;
  readonly access_key: string;
  readonly secret_key: string;
  readonly secret_key_file: string;
  readonly port: number;
};

type Vm = {
  readonly VmId?: string;
  readonly State?: string;
  readonly PrivateIp?: string;
  readonly PublicIp?: string;
  readonly Placement?: { readonly SubregionName?: string };
  readonly Tags?: readonly { readonly Key: string; readonly Value?: string }[];
};

const PREFIX = '__meta_outscale_vm_';

export const create = refreshing<OutscaleSettings>(async (api, signal) => {
  const { endpoint, region, access_key: accessKey, secret_key: key } = api.settings;
  const { secret_key_file: file, port } = api.settings;
  const secretKey = file === '' ? key : readFileSync(file, 'utf8').trim();
  const url = `${withoutEndSlash(endpoint)}/ReadVms`;
  const method = 'POST';
  const body = '{}';
  const headers = signedHeaders(
    {
      method,
      url,
      body,
      region,
      service: 'oapi',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    },
    { accessKey, secretKey, sessionToken: '' },
    api.context.clock.nowMs(),
  );
  const answer = await api.json<{ Vms?: readonly Vm[] }>(url, signal, { method, headers, body });
  const targets = targetsOf(answer.Vms ?? [], (vm) => target(vm, region, port));
  return [{ source: `outscale/${region}`, labels: {}, targets }];
});

/** Null for a machine without any address. */
function target(vm: Vm, region: string, port: number): LabelRecord | null {
  const address = vm.PrivateIp || vm.PublicIp;
  if (address === undefined || address === '') return null;
  const tags = (vm.Tags ?? []).map(({ Key: key, Value: value }): [string, string] => [
    `${PREFIX}tag_${labelNamePart(key)}`,
    labelText(value),
  ]);
  return {
    __address__: hostPort(address, port),
    [`${PREFIX}instance_id`]: labelText(vm.VmId),
    [`${PREFIX}region`]: region,
    [`${PREFIX}subregion`]: labelText(vm.Placement?.SubregionName),
    [`${PREFIX}state`]: labelText(vm.State),
    [`${PREFIX}private_ip`]: labelText(vm.PrivateIp),
    [`${PREFIX}public_ip`]: labelText(vm.PublicIp),
    ...Object.fromEntries(tags),
  };
}
