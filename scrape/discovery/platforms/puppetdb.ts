/**
 * Resources that a query to PuppetDB finds.
 * Source: Prometheus documentation, `<puppetdb_sd_config>`; PuppetDB query API version 4.
 */
import type { LabelRecord } from '../../config.ts';
import {
  hostPort,
  joinedText,
  labelNamePart,
  labelText,
  refreshing,
  withoutEndSlash,
} from '../platform-api.ts';

type PuppetDbSettings = {
  readonly url: string;
  readonly query: string;
  readonly include_parameters: boolean;
  readonly port: number;
};

type Resource = {
  readonly certname?: string;
  readonly resource?: string;
  readonly type?: string;
  readonly title?: string;
  readonly exported?: boolean;
  readonly tags?: readonly string[];
  readonly file?: string | null;
  readonly environment?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
};

export const create = refreshing<PuppetDbSettings>(async (api, signal) => {
  const { url, query, include_parameters: withParameters, port } = api.settings;
  const resources = await api.json<readonly Resource[]>(
    `${withoutEndSlash(url)}/pdb/query/v4`,
    signal,
    {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query }),
    },
  );
  const targets = resources.map((one): LabelRecord => {
    const parameters = withParameters ? one.parameters : {};
    return {
      __address__: hostPort(labelText(one.certname), port),
      __meta_puppetdb_certname: labelText(one.certname),
      __meta_puppetdb_environment: labelText(one.environment),
      __meta_puppetdb_exported: labelText(one.exported),
      __meta_puppetdb_file: labelText(one.file),
      __meta_puppetdb_query: query,
      __meta_puppetdb_resource: labelText(one.resource),
      __meta_puppetdb_tags: joinedText(one.tags),
      __meta_puppetdb_title: labelText(one.title),
      __meta_puppetdb_type: labelText(one.type),
      ...parameterLabels('__meta_puppetdb_parameter_', parameters ?? {}),
    };
  });
  return [{ source: `${url}?query=${query}`, labels: {}, targets }];
});

/** Objects become a label for each of their members, lists of scalars one. */
function parameterLabels(prefix: string, parameters: object): LabelRecord {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(parameters) as [string, unknown][]) {
    const name = prefix + labelNamePart(key);
    if (Array.isArray(value)) labels[name] = value.map(labelText).filter(Boolean).join(',');
    else if (typeof value === 'object' && value !== null) {
      Object.assign(labels, parameterLabels(`${name}_`, value));
    } else labels[name] = labelText(value);
  }
  return labels;
}
