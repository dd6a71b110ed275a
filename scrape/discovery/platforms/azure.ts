/**
 * Virtual machines at Azure, single ones and those of scale sets.
 * Source: Prometheus documentation, `<azure_sd_config>`; Azure REST API, Compute and Network.
 */
import { ValueError } from '../../../model/index.ts';
import {
  askAsApplication,
  askAsMachine,
  AZURE_METADATA_HOST,
  type AzureAnswer,
  type AzureProof,
  azureTokenUrl,
  byFederation,
  bySecret,
} from '../../cloud-auth/azure-login.ts';
import { HeldToken } from '../../cloud-auth/held-token.ts';
import type { LabelRecord } from '../../config.ts';
import {
  type CreatePlatform,
  hostPort,
  labelsFrom,
  labelText,
  PlatformApi,
  refreshingWith,
} from '../platform-api.ts';

type AzureSettings = {
  readonly environment: string;
  readonly port: number;
  readonly subscription_id: string;
  readonly tenant_id: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly authentication_method: string;
  readonly resource_group: string;
};
type Api = PlatformApi<AzureSettings>;

type Vm = {
  readonly id: string;
  readonly name?: string;
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>> | null;
  readonly properties?: {
    readonly hardwareProfile?: { readonly vmSize?: string };
    readonly osProfile?: { readonly computerName?: string };
    readonly storageProfile?: { readonly osDisk?: { readonly osType?: string } };
    readonly networkProfile?: { readonly networkInterfaces?: readonly { readonly id?: string }[] };
  };
};
type ScaleSet = { readonly id: string; readonly name?: string };
type NetworkInterface = {
  readonly properties?: {
    readonly ipConfigurations?: readonly {
      readonly properties?: {
        readonly privateIPAddress?: string;
        readonly publicIPAddress?: { readonly properties?: { readonly ipAddress?: string } };
      };
    }[];
  };
};

type Cloud = { readonly login: string; readonly management: string };

const CLOUDS: Readonly<Record<string, Cloud>> = {
  AZUREPUBLICCLOUD: {
    login: 'https://login.microsoftonline.com',
    management: 'https://management.azure.com',
  },
  AZURECLOUD: {
    login: 'https://login.microsoftonline.com',
    management: 'https://management.azure.com',
  },
  AZURECHINACLOUD: {
    login: 'https://login.chinacloudapi.cn',
    management: 'https://management.chinacloudapi.cn',
  },
  AZUREUSGOVERNMENTCLOUD: {
    login: 'https://login.microsoftonline.us',
    management: 'https://management.usgovcloudapi.net',
  },
  AZUREUSGOVERNMENT: {
    login: 'https://login.microsoftonline.us',
    management: 'https://management.usgovcloudapi.net',
  },
};
const COMPUTE_VERSION = '2024-07-01';
const NETWORK_VERSION = '2024-05-01';
/** Interfaces of scale sets are known to the network service by an older version only. */
const SCALE_SET_NETWORK_VERSION = '2018-10-01';
const PREFIX = '__meta_azure_';

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<AzureSettings>(config, context);
  const token = new HeldToken(context.clock, (signal) =>
    requestToken(api, cloudOf(api.settings), signal),
  );
  const look = async (signal: AbortSignal) => {
    const cloud = cloudOf(api.settings);
    const { value } = await token.get(signal);
    const headers = { Authorization: `Bearer ${value}` };
    const get = <T>(route: string, version: string) => {
      const url = `${cloud.management}${route}?api-version=${version}`;
      return api.json<T>(url, signal, { headers });
    };
    const targets = await new Subscription(api.settings, get, (url) =>
      api.json(url, signal, { headers }),
    ).targets();
    return [{ source: 'azure', labels: {}, targets }];
  };
  return refreshingWith(
    config,
    context,
    look,
    () => api.close(),
    () => token.forget(),
  );
};

function cloudOf({ environment }: AzureSettings): Cloud {
  const cloud = CLOUDS[environment.toUpperCase()];
  if (cloud === undefined) throw new ValueError(`there is no cloud environment ${environment}`);
  return cloud;
}

type Get = <T>(route: string, version: string) => Promise<T>;
type Page<T> = { readonly value?: readonly T[]; readonly nextLink?: string };

/** The machines of one subscription. */
class Subscription {
  readonly #settings: AzureSettings;
  readonly #get: Get;
  readonly #getUrl: (url: string) => Promise<unknown>;

  constructor(settings: AzureSettings, get: Get, getUrl: (url: string) => Promise<unknown>) {
    this.#settings = settings;
    this.#get = get;
    this.#getUrl = getUrl;
  }

  async targets(): Promise<LabelRecord[]> {
    const { subscription_id: subscription, resource_group: group } = this.#settings;
    const within = group === '' ? '' : `/resourceGroups/${group}`;
    const compute = `/subscriptions/${subscription}${within}/providers/Microsoft.Compute`;
    const machines = await this.#list<Vm>(`${compute}/virtualMachines`);
    const found = await Promise.all(machines.map((vm) => this.#target(vm, '')));
    for (const set of await this.#list<ScaleSet>(`${compute}/virtualMachineScaleSets`)) {
      const members = await this.#list<Vm>(`${set.id}/virtualMachines`);
      const name = labelText(set.name);
      found.push(...(await Promise.all(members.map((vm) => this.#target(vm, name)))));
    }
    return found.filter((target) => target !== null);
  }

  async #list<T>(route: string): Promise<T[]> {
    const all: T[] = [];
    let page = await this.#get<Page<T>>(route, COMPUTE_VERSION);
    for (;;) {
      all.push(...(page.value ?? []));
      if (page.nextLink === undefined || page.nextLink === '') return all;
      page = (await this.#getUrl(page.nextLink)) as Page<T>;
    }
  }

  /** Null for a machine without a network. */
  async #target(vm: Vm, scaleSet: string): Promise<LabelRecord | null> {
    const { port, subscription_id: subscription, tenant_id: tenant } = this.#settings;
    const version = scaleSet === '' ? NETWORK_VERSION : SCALE_SET_NETWORK_VERSION;
    for (const { id } of vm.properties?.networkProfile?.networkInterfaces ?? []) {
      if (id === undefined) continue;
      const { properties } = await this.#get<NetworkInterface>(id, version);
      const address = properties?.ipConfigurations?.find(
        (one) => one.properties?.privateIPAddress !== undefined,
      )?.properties;
      if (address === undefined) continue;
      const privateIp = labelText(address.privateIPAddress);
      const of = `${PREFIX}machine_`;
      return {
        __address__: hostPort(privateIp, port),
        [`${PREFIX}subscription_id`]: subscription,
        [`${PREFIX}tenant_id`]: tenant,
        [`${of}id`]: vm.id,
        [`${of}name`]: labelText(vm.name),
        [`${of}computer_name`]: labelText(vm.properties?.osProfile?.computerName),
        [`${of}os_type`]: labelText(vm.properties?.storageProfile?.osDisk?.osType),
        [`${of}location`]: labelText(vm.location),
        [`${of}resource_group`]: /\/resourceGroups\/([^/]+)/i.exec(vm.id)?.[1] ?? '',
        [`${of}size`]: labelText(vm.properties?.hardwareProfile?.vmSize),
        [`${of}scale_set`]: scaleSet,
        [`${of}private_ip`]: privateIp,
        [`${of}public_ip`]: labelText(address.publicIPAddress?.properties?.ipAddress),
        ...labelsFrom(`${of}tag_`, vm.tags),
      };
    }
    return null;
  }
}

async function requestToken(api: Api, { login, management }: Cloud, signal: AbortSignal) {
  const { authentication_method: method, ...settings } = api.settings;
  const env = process.env;
  const federated = env['AZURE_FEDERATED_TOKEN_FILE'];
  const clientId = settings.client_id || (env['AZURE_CLIENT_ID'] ?? '');
  const tenant = settings.tenant_id || (env['AZURE_TENANT_ID'] ?? '');
  const secret = settings.client_secret || (env['AZURE_CLIENT_SECRET'] ?? '');
  const asApplication = (proof: AzureProof) => {
    const tokenUrl = azureTokenUrl(login, tenant);
    const application = { tokenUrl, clientId, scope: `${management}/.default` };
    return askAsApplication(api, application, proof, signal);
  };

  let answer: AzureAnswer;
  if (method === 'OAuth' || (method === 'SDK' && secret !== '')) {
    answer = await asApplication(bySecret(secret));
  } else if (method === 'WorkloadIdentity' && federated === undefined) {
    throw new ValueError('AZURE_FEDERATED_TOKEN_FILE is not set');
  } else if ((method === 'WorkloadIdentity' || method === 'SDK') && federated !== undefined) {
    answer = await asApplication(byFederation(federated));
  } else {
    answer = await askAsMachine(api, AZURE_METADATA_HOST, `${management}/`, clientId, signal);
  }
  const endMs = api.context.clock.nowMs() + Number(answer.expires_in ?? 0) * 1000;
  return { value: answer.access_token ?? '', endMs };
}
