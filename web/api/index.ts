/** Every route below `/api/v1`, in the order of its description. */
import type { ApiRoute } from '../route.ts';
import { activeQueries, cancelQuery } from './active-queries.ts';
import { alertHistory } from './alert-history.ts';
import { alertTimeline } from './alert-timeline.ts';
import { alertWhy } from './alert-why.ts';
import { adminCleanTombstones, adminDeleteSeries, adminSnapshot } from './admin.ts';
import { queryExemplars } from './exemplars.ts';
import { cancelImport, findImport, listImports, startImport } from './import.ts';
import { labelNames, labelValues, series } from './labels.ts';
import { formatQuery, parseQuery } from './language.ts';
import { metricMetadata } from './metadata.ts';
import { liveNotifications, notifications } from './notifications.ts';
import { openApi } from './openapi.ts';
import { pushedGroups } from './pushed-groups.ts';
import { instantQuery } from './query.ts';
import { rangeQuery } from './query-range.ts';
import { otlpWrite, remoteRead, remoteWrite } from './receive.ts';
import { receivers } from './receivers.ts';
import { ruleChecks } from './rule-checks.ts';
import { alertmanagers, alerts, rules } from './rules.ts';
import { searchLabelNames, searchLabelValues, searchMetricNames } from './search.ts';
import { selfMetrics } from './self-metrics.ts';
import {
  features,
  statusBlocks,
  statusBuildInfo,
  statusConfig,
  statusFlags,
  statusRuntimeInfo,
  statusTsdb,
  statusWalReplay,
} from './status.ts';
import {
  relabelSteps,
  scrapePoolConfig,
  scrapePools,
  targets,
  targetsMetadata,
} from './targets.ts';
import { topQueries } from './top-queries.ts';

export const API_ROUTES: readonly ApiRoute[] = [
  instantQuery,
  rangeQuery,
  queryExemplars,
  formatQuery,
  parseQuery,
  labelNames,
  labelValues,
  searchMetricNames,
  searchLabelNames,
  searchLabelValues,
  series,
  metricMetadata,
  scrapePools,
  scrapePoolConfig,
  targets,
  targetsMetadata,
  relabelSteps,
  rules,
  ruleChecks,
  alerts,
  alertHistory,
  alertTimeline,
  alertWhy,
  alertmanagers,
  receivers,
  statusConfig,
  statusRuntimeInfo,
  statusBuildInfo,
  statusFlags,
  statusTsdb,
  statusBlocks,
  statusWalReplay,
  selfMetrics,
  topQueries,
  activeQueries,
  cancelQuery,
  pushedGroups,
  adminDeleteSeries,
  adminCleanTombstones,
  adminSnapshot,
  startImport,
  listImports,
  findImport,
  cancelImport,
  remoteRead,
  remoteWrite,
  otlpWrite,
  notifications,
  liveNotifications,
  features,
  openApi(() => API_ROUTES),
];
