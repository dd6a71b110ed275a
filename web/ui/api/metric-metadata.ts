/** What is known about metrics by their names. Pure. */
export type MetricMetadata = { type: string; help: string; unit: string };
export type MetadataByName = Record<string, MetricMetadata[]>;

const SUFFIX = /_(?:bucket|sum|count|total)$/;

/** Metadata of a histogram stands under its family's name, so `_bucket` and its kin look there. */
export function metadataOf(byName: MetadataByName, name: string): MetricMetadata | undefined {
  return byName[name]?.[0] ?? byName[name.replace(SUFFIX, '')]?.[0];
}
