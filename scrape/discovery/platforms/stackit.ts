/**
 * Servers of a STACKIT project.
 * Source: Prometheus documentation, `<stackit_sd_config>`; STACKIT IaaS API v1.
 */
import { ValueError } from '../../../model/index.ts';
import type { LabelRecord } from '../../config.ts';
import {
  hostPort,
  labelNamePart,
  labelsWithPresence,
  labelText,
  refreshing,
  targetsOf,
  withoutEndSlash,
} from '../platform-api.ts';

type StackitSettings = {
  readonly project: string;
  readonly region: string;
  readonly endpoint: string;
  readonly port: number;
  readonly service_account_key: string;
  readonly service_account_key_path: string;
  readonly private_key: string;
  readonly private_key_path: string;
  readonly credentials_file_path: string;
};

type Server = {
  readonly id?: string;
  readonly name?: string;
  readonly availabilityZone?: string;
  readonly machineType?: string;
  readonly status?: string;
  readonly powerStatus?: string;
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly nics?: readonly {
    readonly ipv4?: string;
    readonly networkName?: string;
    readonly publicIp?: string;
  }[];
};

const PREFIX = '__meta_stackit_';

export const create = refreshing<StackitSettings>(async (api, signal) => {
  const { project, region, endpoint, port, ...keys } = api.settings;
  if (Object.entries(keys).some(([name, value]) => /_key|_path/.test(name) && value !== '')) {
    throw new ValueError(
      'service account keys are not supported; give a token by authorization.credentials_file',
    );
  }
  const base = endpoint === '' ? `https://iaas.api.${region}.stackit.cloud` : endpoint;
  const url = `${withoutEndSlash(base)}/v1/projects/${project}/servers?details=true`;
  const { items } = await api.json<{ items?: readonly Server[] }>(url, signal);
  const targets = targetsOf(items ?? [], (server) => target(server, project, port));
  return [{ source: `stackit/${project}`, labels: {}, targets }];
});

/** Null for a server without any address. */
function target(server: Server, project: string, port: number): LabelRecord | null {
  const { nics = [] } = server;
  const publicIp = nics.find(({ publicIp: ip }) => ip !== undefined && ip !== '')?.publicIp;
  const address = publicIp ?? nics.find(({ ipv4 }) => ipv4 !== undefined && ipv4 !== '')?.ipv4;
  if (address === undefined) return null;
  const byNetwork = nics.map(({ networkName, ipv4 }): [string, string] => [
    `${PREFIX}private_ipv4_${labelNamePart(labelText(networkName))}`,
    labelText(ipv4),
  ]);
  return {
    __address__: hostPort(address, port),
    [`${PREFIX}id`]: labelText(server.id),
    [`${PREFIX}name`]: labelText(server.name),
    [`${PREFIX}project`]: project,
    [`${PREFIX}availability_zone`]: labelText(server.availabilityZone),
    [`${PREFIX}type`]: labelText(server.machineType),
    [`${PREFIX}status`]: labelText(server.status),
    [`${PREFIX}power_status`]: labelText(server.powerStatus),
    [`${PREFIX}public_ipv4`]: labelText(publicIp),
    ...Object.fromEntries(byNetwork),
    ...labelsWithPresence(`${PREFIX}label`, server.labels),
  };
}
