/** Signed calls to one of Amazon's services, in the two forms that they use. */
import type { LabelRecord, TargetGroup } from '../../config.ts';
import {
  type CreatePlatform,
  labelNamePart,
  PlatformApi,
  refreshingWith,
} from '../platform-api.ts';
import { signedHeaders } from '../signature-v4.ts';
import { AwsIdentity, type AwsSettings, FORM_HEADERS } from './credentials.ts';

export type AwsCalls<S> = {
  readonly settings: S;
  readonly region: string;
  /** A query of the older services; the answer is XML. */
  query(service: string, params: Readonly<Record<string, string>>): Promise<string>;
  /** A call of the newer services; `target` is what the API reference calls X-Amz-Target. */
  json<T>(service: string, target: string, body: object): Promise<T>;
};

/** @param look  finds the targets; asked again at every `refresh_interval` */
export function awsPlatform<S extends AwsSettings>(
  look: (calls: AwsCalls<S>) => Promise<LabelRecord[]>,
): CreatePlatform {
  return (config, context) => {
    const api = new PlatformApi<AwsSettings>(config, context);
    const identity = new AwsIdentity(api);
    const settings = config.settings as unknown as S;
    const find = async (signal: AbortSignal): Promise<TargetGroup[]> => {
      const region = await identity.region(signal);
      const post = async (
        service: string,
        body: string,
        sent: Readonly<Record<string, string>>,
      ): Promise<string> => {
        const method = 'POST';
        const url = settings.endpoint || `https://${service}.${region}.amazonaws.com/`;
        const headers = signedHeaders(
          { method, url, body, region, service, headers: sent },
          await identity.credentials(signal),
          context.clock.nowMs(),
        );
        return api.text(url, signal, { method, headers, body });
      };
      const targets = await look({
        settings,
        region,
        query: (service, params) =>
          post(service, new URLSearchParams(params).toString(), FORM_HEADERS),
        json: async <T>(service: string, target: string, body: object) => {
          const sent = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': target };
          return JSON.parse(await post(service, JSON.stringify(body), sent)) as T;
        },
      });
      return [{ source: region, labels: {}, targets }];
    };
    return refreshingWith(config, context, find, () => api.close());
  };
}

export function tagLabels(
  prefix: string,
  tags: readonly { readonly key: string; readonly value: string }[],
): LabelRecord {
  return Object.fromEntries(
    tags.map(({ key, value }) => [`${prefix}tag_${labelNamePart(key)}`, value]),
  );
}
