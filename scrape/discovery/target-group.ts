/**
 * Target groups as files and web services send them:
 *
 *   [ { "targets": ["host:port", …], "labels": { "name": "value", … } }, … ]
 *
 * Source: Prometheus documentation, `<file_sd_config>` and "Writing HTTP service discovery".
 */
import { isValidLabelName, quoteText, ValueError } from '../../model/index.ts';
import type { LabelRecord, TargetGroup } from '../config.ts';

const KEYS: ReadonlySet<string> = new Set(['targets', 'labels']);

/**
 * Checks a parsed document and makes groups of it.
 * @param sourceOf  names the group with this index
 * @param extra     labels that every group gets, such as the file's name
 * @throws ValueError that names the place
 */
export function parseTargetGroups(
  document: unknown,
  sourceOf: (index: number) => string,
  extra: LabelRecord = {},
): TargetGroup[] {
  // An empty YAML file is an empty list.
  if (document === null || document === undefined) return [];
  if (!Array.isArray(document)) throw new ValueError('expected a list of target groups');
  return document.map((item: unknown, index) => parseGroup(item, index, sourceOf(index), extra));
}

function parseGroup(item: unknown, index: number, source: string, extra: LabelRecord): TargetGroup {
  const where = `target group ${index}`;
  if (item === null || item === undefined) {
    throw new ValueError(`nil target group item found (index ${index})`);
  }
  if (typeof item !== 'object' || Array.isArray(item)) {
    throw new ValueError(`${where}: expected an object with targets and labels`);
  }
  const unknownKey = Object.keys(item).find((key) => !KEYS.has(key));
  if (unknownKey !== undefined) {
    throw new ValueError(`${where}: unknown field ${quoteText(unknownKey)}`);
  }
  const { targets, labels } = item as { targets?: unknown; labels?: unknown };
  return {
    source,
    targets: parseTargets(targets, where),
    labels: { ...parseLabels(labels, where), ...extra },
  };
}

function parseTargets(targets: unknown, where: string): LabelRecord[] {
  if (targets === null || targets === undefined) return [];
  if (!Array.isArray(targets)) throw new ValueError(`${where}: targets must be a list`);
  return targets.map((target: unknown, index) => {
    if (typeof target !== 'string') {
      throw new ValueError(`${where}: targets[${index}] must be a string such as "host:port"`);
    }
    return { __address__: target };
  });
}

function parseLabels(labels: unknown, where: string): LabelRecord {
  if (labels === null || labels === undefined) return {};
  if (typeof labels !== 'object' || Array.isArray(labels)) {
    throw new ValueError(`${where}: labels must be an object`);
  }
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels as Record<string, unknown>)) {
    if (!isValidLabelName(name)) {
      throw new ValueError(`${where}: ${quoteText(name)} is not a valid label name`);
    }
    if (typeof value !== 'string') {
      throw new ValueError(`${where}: the value of label ${quoteText(name)} must be a string`);
    }
    checked[name] = value;
  }
  return checked;
}
