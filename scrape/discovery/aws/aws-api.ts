/** Signed calls to Amazon's services, in the three forms that they use. */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import { messageOf, ValueError } from '../../../model/index.ts';
import { signedHeaders } from '../../http/signature-v4.ts';
import {
  type CreatePlatform,
  labelNamePart,
  PlatformApi,
  refreshingWith,
  withoutEndSlash,
} from '../platform-api.ts';
import { childOf, childrenAt, parseXml, textAt, type XmlElement } from '../xml.ts';
import { AwsIdentity, type AwsSettings, FORM_HEADERS } from './credentials.ts';

export type Filter = { readonly name: string; readonly values: readonly string[] };

export type AwsCalls<S> = {
  readonly settings: S;
  readonly region: string;
  /** A query of the older services; the answer is XML. */
  query(service: string, params: Readonly<Record<string, string>>): Promise<XmlElement>;
  /** A call of the newer services; `target` is what the API reference calls X-Amz-Target. */
  json<T>(service: string, target: string, body: object): Promise<T>;
  /** A resource of a service with addresses; `route` starts with a slash. */
  resource<T>(service: string, route: string): Promise<T>;
};

/**
 * @param home  the service that the setting `endpoint` is about, should another be needed too
 * @param look  finds the targets; asked again at every `refresh_interval`
 */
export function awsPlatform<S extends AwsSettings>(
  home: string,
  look: (calls: AwsCalls<S>) => Promise<LabelRecord[]>,
): CreatePlatform {
  return (config, context) => {
    const api = new PlatformApi<AwsSettings>(config, context);
    const identity = new AwsIdentity(api);
    const settings = config.settings as unknown as S;
    const find = async (signal: AbortSignal): Promise<TargetGroup[]> => {
      const region = await identity.region(signal);
      const send = async (
        service: string,
        method: 'GET' | 'POST',
        route: string,
        body: string,
        sent: Readonly<Record<string, string>>,
      ): Promise<string> => {
        const own = service === home ? withoutEndSlash(settings.endpoint) : '';
        const url = (own || `https://${service}.${region}.amazonaws.com`) + route;
        const headers = signedHeaders(
          { method, url, body, region, service, headers: sent },
          await identity.credentials(signal),
          context.clock.nowMs(),
        );
        return api.text(url, signal, method === 'GET' ? { headers } : { method, headers, body });
      };
      const targets = await look({
        settings,
        region,
        query: async (service, params) => {
          const body = new URLSearchParams(params).toString();
          return parseXml(await send(service, 'POST', '/', body, FORM_HEADERS));
        },
        json: async <T>(service: string, target: string, body: object) => {
          const sent = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': target };
          return parseJson(await send(service, 'POST', '/', JSON.stringify(body), sent)) as T;
        },
        resource: async <T>(service: string, route: string) =>
          parseJson(await send(service, 'GET', route, '', {})) as T,
      });
      return [{ source: region, labels: {}, targets }];
    };
    return refreshingWith(
      config,
      context,
      find,
      () => api.close(),
      () => identity.forget(),
    );
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ValueError(`the answer is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** Parameters of a query that narrow it down; empty without filters. */
export function filterParams(
  prefix: string,
  valuePrefix: string,
  filters: readonly Filter[],
): Record<string, string> {
  const params: Record<string, string> = {};
  filters.forEach(({ name, values }, index) => {
    params[`${prefix}.${index + 1}.Name`] = name;
    values.forEach((value, at) => {
      params[`${prefix}.${index + 1}.${valuePrefix}.${at + 1}`] = value;
    });
  });
  return params;
}

/** A list that an older service gives page by page. */
export type XmlPages = {
  readonly service: string;
  readonly action: string;
  readonly apiVersion: string;
  readonly listName: string;
  /** Of the parameter and of the element that lead to the next page. */
  readonly tokenName: string;
};

export async function allXmlPages<S>(
  calls: AwsCalls<S>,
  { service, action, apiVersion, listName, tokenName }: XmlPages,
  params: Readonly<Record<string, string>>,
): Promise<XmlElement[]> {
  const found: XmlElement[] = [];
  let token = '';
  do {
    const answer = await calls.query(service, {
      Action: action,
      Version: apiVersion,
      ...params,
      ...(token === '' ? {} : { [tokenName]: token }),
    });
    const result = childOf(answer, `${action}Result`);
    if (result === undefined) break;
    found.push(...childrenAt(result, listName));
    token = textAt(result, tokenName);
  } while (token !== '');
  return found;
}

/** Items in lists that are short enough to be asked for at once. */
export function inBatches<T>(items: readonly T[], countMax: number): T[][] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += countMax) {
    batches.push(items.slice(start, start + countMax));
  }
  return batches;
}

export function tagLabels(
  prefix: string,
  tags: readonly { readonly key: string; readonly value: string }[],
): LabelRecord {
  return Object.fromEntries(
    tags.map(({ key, value }) => [`${prefix}tag_${labelNamePart(key)}`, value]),
  );
}
