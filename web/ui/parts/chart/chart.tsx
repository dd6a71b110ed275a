/** A time chart on uPlot: drag to zoom, shift-drag to pan, ctrl-wheel to zoom, click to pin. */
import { useComputedColorScheme } from '@mantine/core';
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { RangeColumns } from '../../api/range-columns.ts';
import { countOf } from '../number-text.ts';
import type { TimeZone } from '../time/moment-text.ts';
import classes from './chart.module.css';
import { lineData, nearestSeries, stackedData } from './chart-data.ts';
import { type ChartStyle, chartOptions, type View } from './chart-options.ts';
import { ChartTip, type TipState } from './chart-tip.tsx';
import { Highlight } from './highlight.ts';
import { valueFormatOf } from './value-format.ts';

export type TimeSpan = { startMs: number; endMs: number };

export type ChartProps = {
  columns: RangeColumns;
  span: TimeSpan;
  /** Series beyond it are not drawn. */
  drawnCount: number;
  hidden: ReadonlySet<number>;
  /** A series to lift out, because the pointer is on it elsewhere. */
  lifted: number | undefined;
  stacked: boolean;
  fromZero: boolean;
  zone: TimeZone;
  onZoom: (span: TimeSpan) => void;
  onZoomOut: () => void;
};

const WHEEL_SETTLE_MS = 250;

export default function Chart(props: ChartProps) {
  const { columns, span, drawnCount, hidden, lifted, stacked, fromZero, zone } = props;
  const isDark = useComputedColorScheme() === 'dark';
  const format = useMemo(() => valueFormatOf(columns.series), [columns.series]);
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const highlight = useRef<Highlight>(undefined);
  const [tip, setTip] = useState<TipState>();
  const view = useRef<View>({ min: 0, max: 1 }).current;
  // Event handlers of the plot outlive a render; through this they see the newest properties.
  const latest = useRef(props);
  latest.current = props;
  const pinned = useRef(false);

  const shownData = () =>
    stacked
      ? stackedData(columns, drawnCount, (series) => hidden.has(series))
      : lineData(columns, drawnCount);

  // The plot is built again only when its shape or its looks change; new values go into the old one.
  const lone = columns.series.slice(0, drawnCount).map((one) => (one.hasLonePoint ? 1 : 0));
  const shape = `${lone.join('')} ${stacked} ${fromZero} ${zone} ${isDark} ${format.tick(1)}`;
  useLayoutEffect(() => {
    const style: ChartStyle = { stacked, fromZero, isDark, zone, format };
    const summaries = columns.series.slice(0, drawnCount);
    const tools = pointerTools(view, latest, () => plot.current!);
    const options = chartOptions(root.current!, summaries, view, style, {
      onCursor: (u) => {
        if (!pinned.current) setTip(tipUnderCursor(u, latest.current));
      },
      onSelect: tools.zoomToSelection,
      onMouseDown: tools.startPan,
    });
    const u = new uPlot(options, [[]], root.current!);
    plot.current = u;
    highlight.current = new Highlight(u, isDark);
    u.over.addEventListener('wheel', tools.zoomWithWheel, { passive: false });
    u.over.addEventListener('dblclick', () => latest.current.onZoomOut());
    u.over.addEventListener('click', () => {
      if (u.select.width > 0) return;
      pinned.current = !pinned.current && u.cursor.idx !== null;
      setTip(tipUnderCursor(u, latest.current, pinned.current));
    });
    return () => {
      highlight.current = undefined;
      plot.current = undefined;
      u.destroy();
    };
    // `shape` stands for everything that is used here.
  }, [shape]);

  useLayoutEffect(() => {
    view.min = span.startMs / 1000;
    view.max = span.endMs / 1000;
    const u = plot.current!;
    u.batch(() => {
      for (let series = 0; series < drawnCount; series++) {
        const show = !hidden.has(series);
        if (u.series[series + 1]!.show !== show) u.setSeries(series + 1, { show });
      }
      u.setData(shownData(), true);
    });
    pinned.current = false;
    setTip(undefined);
  }, [columns, span.startMs, span.endMs, hidden, drawnCount, shape]);

  useEffect(() => {
    highlight.current?.show(lifted ?? tip?.series ?? -1, tip?.step ?? -1);
  }, [lifted, tip, columns, hidden, shape]);

  useEffect(() => {
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = root.current!;
      if (width > 0 && height > 0) plot.current?.setSize({ width, height });
    });
    observer.observe(root.current!);
    return () => observer.disconnect();
  }, []);

  const unpin = () => {
    pinned.current = false;
    setTip(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') unpin();
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      event.preventDefault();
      moveCursor(plot.current!, event.key === 'ArrowLeft' ? -1 : 1);
    }
  };

  return (
    <div className={classes.frame}>
      <div
        ref={root}
        className={classes.chart}
        role="img"
        aria-label={`Graph of ${countOf(columns.series.length, 'series', 'series')}. Arrow keys move the cursor.`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        data-testid="chart"
      />
      {tip !== undefined && (
        <ChartTip
          tip={tip}
          columns={columns}
          drawnCount={drawnCount}
          hidden={hidden}
          zone={zone}
          format={format}
          onClose={unpin}
        />
      )}
    </div>
  );
}

function tipUnderCursor(u: uPlot, props: ChartProps, pinned = false): TipState | undefined {
  const { idx: step, left = -1, top = -1 } = u.cursor;
  // Charts share a vertical line; the tip belongs to the one that has the pointer.
  const hasPointer = u.over.matches(':hover') || u.root.contains(document.activeElement);
  if (step === null || step === undefined || left < 0 || !hasPointer) return undefined;
  const isHidden = (series: number) => props.hidden.has(series);
  const series = nearestSeries(u.data, step, u.posToVal(top, 'y'), isHidden);
  if (series < 0) return undefined;
  const { offsetLeft, offsetTop } = u.over;
  const { offsetWidth: width, offsetHeight: height } = u.root;
  return { step, series, left: left + offsetLeft, top: top + offsetTop, width, height, pinned };
}

function moveCursor(u: uPlot, direction: 1 | -1): void {
  const stepCount = u.data[0].length;
  const from = u.cursor.idx ?? (direction === 1 ? -1 : stepCount);
  const to = Math.min(Math.max(from + direction, 0), stepCount - 1);
  u.setCursor({ left: u.valToPos(u.data[0][to]!, 'x'), top: u.over.clientHeight / 2 });
}

/** What pointers do to the time axis. Changes show at once and are asked for when they settle. */
function pointerTools(view: View, latest: { current: ChartProps }, plotNow: () => uPlot) {
  let settleTimer = 0;
  const show = (min: number, max: number) => {
    view.min = min;
    view.max = max;
    plotNow().setScale('x', { min, max });
  };
  const commit = () => {
    latest.current.onZoom({ startMs: view.min * 1000, endMs: view.max * 1000 });
  };

  const zoomToSelection = (u: uPlot) => {
    const { left, width } = u.select;
    if (width <= 0) return;
    const startMs = u.posToVal(left, 'x') * 1000;
    const endMs = u.posToVal(left + width, 'x') * 1000;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    latest.current.onZoom({ startMs, endMs });
  };

  const zoomWithWheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const center = plotNow().posToVal(event.offsetX, 'x');
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    show(center - (center - view.min) * factor, center + (view.max - center) * factor);
    window.clearTimeout(settleTimer);
    settleTimer = window.setTimeout(commit, WHEEL_SETTLE_MS);
  };

  /** @returns whether it took the event */
  const startPan = (u: uPlot, event: MouseEvent): boolean => {
    if (!event.shiftKey && !event.ctrlKey) return false;
    const fromX = event.clientX;
    const { min, max } = view;
    const secondsPerPixel = (max - min) / u.over.clientWidth;
    const pan = (move: MouseEvent) => {
      const shift = (fromX - move.clientX) * secondsPerPixel;
      show(min + shift, max + shift);
    };
    const stop = () => {
      document.removeEventListener('mousemove', pan);
      if (view.min !== min) commit();
    };
    document.addEventListener('mousemove', pan);
    document.addEventListener('mouseup', stop, { once: true });
    return true;
  };

  return { zoomToSelection, zoomWithWheel, startPan };
}
