/** From what discovery finds to the URLs that alerts are posted to. */
import { Labels, type Relabeler } from '../../model/index.ts';
import type { TargetGroup } from '../../scrape/index.ts';
import type { AlertmanagerConfig } from './alertmanager-config.ts';

const ADDRESS = '__address__';
const SCHEME = '__scheme__';
const PATH = '__alerts_path__';
const API_PATH = '/api/v2/alerts';

export type AlertmanagerUrls = {
  /** Each once. */
  readonly active: readonly string[];
  /** Those that relabelling drops. */
  readonly dropped: readonly string[];
};

export function alertmanagerUrls(
  groups: readonly TargetGroup[],
  config: AlertmanagerConfig,
  relabeler: Relabeler,
): AlertmanagerUrls {
  const active = new Set<string>();
  const dropped: string[] = [];
  const path = `/${config.pathPrefix}/${API_PATH}`.replaceAll(/\/+/g, '/');
  const defaults = { [SCHEME]: config.scheme, [PATH]: path };
  for (const group of groups) {
    for (const target of group.targets) {
      const labels = Labels.fromObject({ ...defaults, ...group.labels, ...target });
      const relabelled = relabeler.apply(labels);
      if (relabelled === null) dropped.push(urlOf(labels));
      else if (relabelled.has(ADDRESS)) active.add(urlOf(relabelled));
    }
  }
  return { active: [...active], dropped };
}

function urlOf(labels: Labels): string {
  return `${labels.get(SCHEME)}://${labels.get(ADDRESS)}${labels.get(PATH)}`;
}
