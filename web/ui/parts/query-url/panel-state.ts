/**
 * The state of the query page lives in the address, in the keys that Prometheus's UI uses, so that
 * links and bookmarks work in both: g0.expr, g0.tab, g0.range_input, …
 */
import { formatDurationMs, parseDurationMs } from '../time/duration.ts';
import { momentFromUrl, momentToUrl } from '../time/moment-text.ts';
import { type Density, POINT_COUNTS, type Resolution } from './resolution.ts';

export type Tab = 'table' | 'graph' | 'explain';

export type PanelState = {
  expr: string;
  tab: Tab;
  rangeMs: number;
  /** Graph: its right edge; undefined means now. */
  endMs: number | undefined;
  /** Table: the moment of evaluation; undefined means now. */
  momentMs: number | undefined;
  stacked: boolean;
  fromZero: boolean;
  resolution: Resolution;
};

export type Search = Record<string, string>;

const HOUR_MS = 3_600_000;

export function newPanel(expr = '', tab: Tab = 'table', rangeMs = HOUR_MS): PanelState {
  return {
    expr,
    tab,
    rangeMs,
    endMs: undefined,
    momentMs: undefined,
    stacked: false,
    fromZero: false,
    resolution: { kind: 'auto', density: 'medium' },
  };
}

const KEY = /^g(\d+)\.(\w+)$/;

/** Panels in the order of their numbers; numbers may have holes. No panel: an empty list. */
export function panelsFromSearch(search: Search): PanelState[] {
  const fields = new Map<number, Search>();
  for (const [key, value] of Object.entries(search)) {
    const found = KEY.exec(key);
    if (found === null) continue;
    const index = Number(found[1]);
    const ofPanel = fields.get(index) ?? {};
    ofPanel[found[2]!] = value;
    fields.set(index, ofPanel);
  }
  return [...fields].sort(([a], [b]) => a - b).map(([, ofPanel]) => panelFromFields(ofPanel));
}

function panelFromFields(fields: Search): PanelState {
  return {
    expr: fields.expr ?? '',
    tab: tabFrom(fields.tab),
    rangeMs: parseDurationMs(fields.range_input ?? '') || HOUR_MS,
    endMs: momentFromUrl(fields.end_input ?? ''),
    momentMs: momentFromUrl(fields.moment_input ?? ''),
    stacked: fields.display_mode === 'stacked' || fields.stacked === '1',
    fromZero: fields.y_axis_min === 'zero' || fields.y_axis_min === '0',
    resolution: resolutionFrom(fields),
  };
}

/** Prometheus 2 wrote numbers: 0 the graph, 1 the table. */
function tabFrom(text: string | undefined): Tab {
  if (text === '0' || text === 'graph') return 'graph';
  return text === 'explain' ? 'explain' : 'table';
}

function resolutionFrom(fields: Search): Resolution {
  const stepMs = secondsFrom(fields.res_step) ?? secondsFrom(fields.step_input);
  const isStepWanted = fields.res_type !== 'auto' && stepMs !== undefined;
  if (isStepWanted) return { kind: fields.res_type === 'fixed' ? 'fixed' : 'custom', stepMs };
  const density = fields.res_density ?? '';
  return { kind: 'auto', density: density in POINT_COUNTS ? (density as Density) : 'medium' };
}

function secondsFrom(text: string | undefined): number | undefined {
  const milliseconds = Number(text ?? '') * 1000;
  return milliseconds > 0 && Number.isFinite(milliseconds) ? milliseconds : undefined;
}

export function searchFromPanels(panels: readonly PanelState[]): Search {
  const search: Search = {};
  for (const [index, panel] of panels.entries()) {
    const put = (name: string, value: string) => {
      search[`g${index}.${name}`] = value;
    };
    const { resolution } = panel;
    put('expr', panel.expr);
    put('tab', panel.tab);
    if (panel.endMs !== undefined) put('end_input', momentToUrl(panel.endMs));
    if (panel.momentMs !== undefined) put('moment_input', momentToUrl(panel.momentMs));
    put('range_input', formatDurationMs(panel.rangeMs));
    put('res_type', resolution.kind);
    if (resolution.kind === 'auto') put('res_density', resolution.density);
    else put('res_step', String(resolution.stepMs / 1000));
    put('display_mode', panel.stacked ? 'stacked' : 'lines');
    if (panel.fromZero) put('y_axis_min', 'zero');
  }
  return search;
}
