/**
 * Tasks of applications that Marathon runs.
 * Source: Prometheus documentation, `<marathon_sd_config>`; Marathon REST API, apps.
 */
import { readFileSync } from 'node:fs';
import type { LabelRecord, TargetGroup } from '../../config.ts';
import { hostPort, labelsFrom, labelText, refreshing, withoutEndSlash } from '../platform-api.ts';

type MarathonSettings = {
  readonly servers: readonly string[];
  readonly auth_token: string;
  readonly auth_token_file: string;
};

type Labels = Readonly<Record<string, string>> | null;
type PortMapping = {
  readonly containerPort?: number;
  readonly hostPort?: number;
  readonly labels?: Labels;
};
type Container = {
  readonly docker?: {
    readonly image?: string;
    readonly portMappings?: readonly PortMapping[] | null;
  };
  readonly portMappings?: readonly PortMapping[] | null;
};
type Task = {
  readonly id?: string;
  readonly host?: string;
  readonly ports?: readonly number[] | null;
  readonly ipAddresses?: readonly { readonly ipAddress?: string }[] | null;
};
type App = {
  readonly id: string;
  readonly tasks?: readonly Task[] | null;
  readonly tasksRunning?: number;
  readonly labels?: Labels;
  readonly container?: Container | null;
  readonly portDefinitions?: readonly { readonly port?: number; readonly labels?: Labels }[] | null;
  readonly networks?: readonly { readonly mode?: string; readonly name?: string }[] | null;
  readonly requirePorts?: boolean;
};

/** A port of every task: its number, unless each task has one of its own. */
type AppPort = { readonly number: number | null; readonly labels: LabelRecord };

export const create = refreshing<MarathonSettings>(async (api, signal) => {
  const { servers, auth_token: token, auth_token_file: tokenFile } = api.settings;
  const secret = tokenFile === '' ? token : readFileSync(tokenFile, 'utf8').trim();
  const headers: Record<string, string> = secret === '' ? {} : { Authorization: `token=${secret}` };
  const server = servers[Math.floor(Math.random() * servers.length)]!;
  const url = `${withoutEndSlash(server)}/v2/apps/?embed=apps.tasks`;
  const { apps } = await api.json<{ apps?: readonly App[] }>(url, signal, { headers });
  return (apps ?? []).filter(({ tasksRunning = 0 }) => tasksRunning > 0).map(groupOf);
});

function groupOf(app: App): TargetGroup {
  const isContainerNetwork = (app.networks ?? []).some(({ mode }) => mode === 'container');
  const ports = portsOf(app, isContainerNetwork);
  return {
    source: app.id,
    labels: {
      __meta_marathon_app: app.id,
      __meta_marathon_image: labelText(app.container?.docker?.image),
      ...labelsFrom('__meta_marathon_app_label_', app.labels),
    },
    targets: (app.tasks ?? []).flatMap((task) => targetsOf(task, ports, isContainerNetwork)),
  };
}

function portsOf(app: App, isContainerNetwork: boolean): AppPort[] | null {
  const { container, portDefinitions } = app;
  const ofDocker = container?.docker?.portMappings ?? [];
  const mappings = ofDocker.length > 0 ? ofDocker : (container?.portMappings ?? []);
  if (mappings.length > 0) {
    return mappings.map(({ containerPort = 0, hostPort: port = 0, labels }) => ({
      number: isContainerNetwork ? containerPort : port,
      labels: labelsFrom('__meta_marathon_port_mapping_label_', labels),
    }));
  }
  if ((portDefinitions ?? []).length === 0) return null;
  return portDefinitions!.map(({ port = 0, labels }) => ({
    number: app.requirePorts === true ? port : null,
    labels: labelsFrom('__meta_marathon_port_definition_label_', labels),
  }));
}

function targetsOf(
  { id, host = '', ports: taskPorts, ipAddresses }: Task,
  ports: readonly AppPort[] | null,
  isContainerNetwork: boolean,
): LabelRecord[] {
  const ip = ipAddresses?.[0]?.ipAddress;
  const address = isContainerNetwork && ip !== undefined ? ip : host;
  const all: readonly AppPort[] =
    ports ?? (taskPorts ?? []).map((number) => ({ number, labels: {} }));
  return all.map(({ number, labels }, index) => ({
    __address__: hostPort(address, number ?? taskPorts?.[index] ?? 0),
    __meta_marathon_task: labelText(id),
    __meta_marathon_port_index: String(index),
    ...labels,
  }));
}
