/** How uPlot is set up for our charts. */
import uPlot from 'uplot';
import type { SeriesSummary } from '../../api/range-columns.ts';
import type { TimeZone } from '../time/moment-text.ts';
import { valueRange } from './chart-data.ts';
import { seriesColor } from './palette.ts';
import type { ValueFormat } from './value-format.ts';

export type ChartStyle = {
  stacked: boolean;
  fromZero: boolean;
  isDark: boolean;
  zone: TimeZone;
  format: ValueFormat;
};

/** Seconds; changed in place while the person zooms or pans, before anything is asked again. */
export type View = { min: number; max: number };

const AXIS_FONT = '11px system-ui, "DejaVu Sans", sans-serif';
const TICK_PX = 56;

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const YEAR = 31_536_000;

/** uPlot's own form: unit, format, then what to add when year, month, day, … roll over, and how. */
const TIME_FORMATS: uPlot.Axis.Values = [
  [YEAR, '{YYYY}', null, null, null, null, null, null, 1],
  [28 * DAY, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [DAY, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [HOUR, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [MINUTE, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, '\n{HH}:{mm}', null, 1],
];

/** Indices of points that no line reaches, for uPlot's points.filter. */
function lonePoints(u: uPlot, seriesIndex: number): number[] | null {
  const values = u.data[seriesIndex]!;
  const lone: number[] = [];
  for (let step = 0; step < values.length; step++) {
    const isLone =
      typeof values[step] === 'number' &&
      typeof values[step - 1] !== 'number' &&
      typeof values[step + 1] !== 'number';
    if (isLone) lone.push(step);
  }
  return lone;
}

function drawnSeries(
  summary: SeriesSummary,
  index: number,
  count: number,
  style: ChartStyle,
): uPlot.Series {
  const stroke = seriesColor(index, style.isDark);
  const series: uPlot.Series = {
    stroke,
    width: count > 200 ? 1 : 1.5,
    spanGaps: false,
    points: summary.hasLonePoint
      ? { show: true, size: 5, fill: stroke, stroke, filter: lonePoints }
      : { show: false },
  };
  if (style.stacked) series.fill = `${stroke}38`;
  else if (count === 1) series.fill = `${stroke}16`;
  return series;
}

export type ChartHooks = {
  onCursor: (u: uPlot) => void;
  onSelect: (u: uPlot) => void;
  onMouseDown: (u: uPlot, event: MouseEvent) => boolean;
};

export function chartOptions(
  root: HTMLElement,
  summaries: readonly SeriesSummary[],
  view: View,
  style: ChartStyle,
  hooks: ChartHooks,
): uPlot.Options {
  const colors = getComputedStyle(root);
  const axisColor = colors.getPropertyValue('--nx-chart-axis');
  const grid = { stroke: colors.getPropertyValue('--nx-chart-grid'), width: 1 };
  return {
    width: root.clientWidth,
    height: root.clientHeight,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: {
      // One overlay of ours marks the nearest series; uPlot would keep an element for every one.
      points: { show: false },
      focus: { prox: -1 },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      sync: { key: 'narthex' },
      bind: {
        dblclick: () => null,
        mousedown: (u, _target, handler) => (event) => {
          if (!hooks.onMouseDown(u, event)) handler(event);
          return null;
        },
      },
    },
    ...(style.zone === 'utc' && {
      tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    }),
    scales: {
      x: { time: true, range: () => [view.min, view.max] },
      y: {
        range: (_u, min, max) => valueRange(min, max, style.fromZero || style.stacked),
      },
    },
    axes: [
      {
        font: AXIS_FONT,
        stroke: axisColor,
        grid: { show: false },
        ticks: { stroke: grid.stroke, width: 1, size: 5 },
        values: TIME_FORMATS,
        space: (_u, _axis, _min, _max, widthPx) => (widthPx < 500 ? 54 : 70),
        size: 40,
        gap: 4,
      },
      {
        font: AXIS_FONT,
        stroke: axisColor,
        grid,
        ticks: { show: false },
        space: 36,
        ...(style.format.increments !== undefined && { incrs: style.format.increments }),
        gap: 8,
        values: (_u, ticks) => ticks.map(style.format.tick),
        size: (_u, texts) => {
          const longest = Math.max(0, ...(texts ?? []).map((text) => text.length));
          return Math.max(TICK_PX - 16, longest * 6.8 + 18);
        },
      },
    ],
    series: [
      {},
      ...summaries.map((summary, index) => drawnSeries(summary, index, summaries.length, style)),
    ],
    ...(style.stacked && { bands: stackedBands(summaries.length) }),
    hooks: { setCursor: [hooks.onCursor], setSelect: [hooks.onSelect] },
  };
}

/** Each layer is filled down to the one before it instead of to the axis. */
function stackedBands(count: number): uPlot.Band[] {
  return Array.from({ length: Math.max(0, count - 1) }, (_, index) => ({
    series: [index + 2, index + 1],
  }));
}
