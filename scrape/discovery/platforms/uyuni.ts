/**
 * Exporters on systems that Uyuni manages, by its XML-RPC API.
 * Source: Prometheus documentation, `<uyuni_sd_config>`; Uyuni API, system and auth.
 */
import type { LabelRecord } from '../../config.ts';
import { ValueError } from '../../../model/index.ts';
import {
  type CreatePlatform,
  labelText,
  PlatformApi,
  refreshingWith,
  withoutEndSlash,
} from '../platform-api.ts';
import { childOf, parseXml, textAt, type XmlElement } from '../xml.ts';

type UyuniSettings = {
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly entitlement: string;
  readonly separator: string;
};

type XmlRpcValue =
  | string
  | number
  | boolean
  | readonly XmlRpcValue[]
  | { readonly [name: string]: XmlRpcValue };
type Member = Readonly<Record<string, XmlRpcValue>>;

/** Of a session, in seconds. */
const SESSION_SECONDS = 600;
/** A session is given up some time before it ends. */
const SESSION_REUSE_MS = (SESSION_SECONDS / 2) * 1000;
const PREFIX = '__meta_uyuni_';

export const create: CreatePlatform = (config, context) => {
  const api = new PlatformApi<UyuniSettings>(config, context);
  const { server, username, password, entitlement, separator } = api.settings;
  const url = `${withoutEndSlash(server)}/rpc/api`;
  let session: { readonly key: XmlRpcValue; readonly endMs: number } | null = null;

  const call = async (signal: AbortSignal, method: string, ...params: XmlRpcValue[]) => {
    const headers = { 'Content-Type': 'text/xml' };
    const body = printCall(method, params);
    return parseAnswer(await api.text(url, signal, { method: 'POST', headers, body }));
  };
  const list = async (signal: AbortSignal, method: string, ...params: XmlRpcValue[]) =>
    (await call(signal, method, ...params)) as readonly Member[];

  const look = async (signal: AbortSignal) => {
    if (session === null || context.clock.monotonicMs() > session.endMs) {
      const key = await call(signal, 'auth.login', username, password, SESSION_SECONDS);
      session = { key, endMs: context.clock.monotonicMs() + SESSION_REUSE_MS };
    }
    const { key } = session;
    const groupsOf = await list(
      signal,
      'system.listSystemGroupsForSystemsWithEntitlement',
      key,
      entitlement,
    );
    const ids = groupsOf.map(({ id }) => id!);
    if (ids.length === 0) return [{ source: server, labels: {}, targets: [] }];
    const endpoints = await list(signal, 'system.monitoring.listEndpoints', key, ids);
    const networks = await list(signal, 'system.getNetworkForSystems', key, ids);
    const targets = endpoints.map((endpoint): LabelRecord => {
      const isSame = (other: XmlRpcValue | undefined) => other === endpoint['system_id'];
      const network = networks.find(({ system_id: id }) => isSame(id)) ?? {};
      const groups = (groupsOf.find(({ id }) => isSame(id))?.['system_groups'] ??
        []) as readonly Member[];
      return targetOf(endpoint, network, groups, separator);
    });
    return [{ source: server, labels: {}, targets }];
  };
  return refreshingWith(
    config,
    context,
    look,
    () => api.close(),
    () => (session = null),
  );
};

function targetOf(
  endpoint: Member,
  network: Member,
  groups: readonly Member[],
  separator: string,
): LabelRecord {
  const host = labelText(network['hostname']);
  const hasTls = endpoint['tls_enabled'] === true;
  return {
    __address__: `${host}:${labelText(endpoint['port'])}`,
    [`${PREFIX}minion_hostname`]: host,
    [`${PREFIX}primary_fqdn`]: labelText(network['primary_fqdn']),
    [`${PREFIX}system_id`]: labelText(endpoint['system_id']),
    [`${PREFIX}groups`]: groups.map(({ name }) => labelText(name)).join(separator),
    [`${PREFIX}endpoint_name`]: labelText(endpoint['endpoint_name']),
    [`${PREFIX}exporter`]: labelText(endpoint['exporter_name']),
    [`${PREFIX}proxy_module`]: labelText(endpoint['module']),
    [`${PREFIX}metrics_path`]: labelText(endpoint['path']),
    [`${PREFIX}scheme`]: hasTls ? 'https' : 'http',
  };
}

// ---- XML-RPC. Source: xmlrpc.com, specification.

function printCall(method: string, params: readonly XmlRpcValue[]): string {
  const printed = params.map((param) => `<param>${printValue(param)}</param>`).join('');
  const call = `<methodName>${method}</methodName><params>${printed}</params>`;
  return `<?xml version="1.0" encoding="UTF-8"?><methodCall>${call}</methodCall>`;
}

function printValue(value: XmlRpcValue): string {
  if (typeof value === 'number') return `<value><int>${value}</int></value>`;
  if (Array.isArray(value)) {
    const items = (value as readonly XmlRpcValue[]).map(printValue).join('');
    return `<value><array><data>${items}</data></array></value>`;
  }
  const escaped = String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<value><string>${escaped}</string></value>`;
}

function parseAnswer(text: string): XmlRpcValue {
  const answer = parseXml(text);
  const fault = childOf(childOf(answer, 'fault'), 'value');
  if (fault !== undefined) {
    const { faultString } = parseValue(fault) as Member;
    throw new ValueError(`the server refuses: ${labelText(faultString)}`);
  }
  const value = childOf(childOf(childOf(answer, 'params'), 'param'), 'value');
  if (value === undefined) throw new ValueError('the answer holds no value');
  return parseValue(value);
}

function parseValue(value: XmlElement): XmlRpcValue {
  const [typed] = value.children;
  if (typed === undefined) return value.text;
  switch (typed.name) {
    case 'int':
    case 'i4':
    case 'i8':
    case 'double':
      return Number(typed.text);
    case 'boolean':
      return typed.text === '1';
    case 'array':
      return (childOf(typed, 'data')?.children ?? []).map(parseValue);
    case 'struct':
      return Object.fromEntries(
        typed.children.map((member) => [
          textAt(member, 'name'),
          parseValue(childOf(member, 'value') ?? member),
        ]),
      );
    default:
      return typed.text;
  }
}
