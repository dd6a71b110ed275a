/** The graph tab: the chart, its legend, and what it says when there is nothing to draw. */
import { Button } from '@mantine/core';
import { IconChartLine, IconZoomOut } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import type { RangeAnswer } from '../../api/query-range.ts';
import type { TimeSpan } from '../../parts/chart/chart.tsx';
import { Legend } from '../../parts/chart/legend.tsx';
import { Notice } from '../../parts/notice.tsx';
import { countOf, wholeNumber } from '../../parts/number-text.ts';
import { Empty, Unanswered } from '../../parts/state-views.tsx';
import { useSettings } from '../../settings/settings.ts';
import classes from './graph-result.module.css';
import type { PanelState } from '../../parts/query-url/panel-state.ts';

/** The drawing library is not needed before there is something to draw. */
const Chart = lazy(() => import('../../parts/chart/chart.tsx'));

type GraphResultProps = {
  state: PanelState;
  query: { data: RangeAnswer | undefined; isFetching: boolean };
  onChange: (part: Partial<PanelState>) => void;
};

/** Drawing this many takes a noticeable but short moment; more is asked for explicitly. */
const DRAWN_COUNT_MAX = 1000;
const RANGE_MS_MIN = 1000;
const NONE_HIDDEN: ReadonlySet<number> = new Set();

export function GraphResult({ state, query, onChange }: GraphResultProps) {
  const { timeZone, legendFigures } = useSettings();
  const [hidden, setHidden] = useState<ReadonlySet<number>>(NONE_HIDDEN);
  const [lifted, setLifted] = useState<number>();
  const [drawAll, setDrawAll] = useState(false);
  const columns = query.data?.data;

  // Positions mean other series once the expression has changed; a refresh keeps them.
  const names = useMemo(() => JSON.stringify(columns?.series.map((one) => one.labels)), [columns]);
  useEffect(() => {
    setHidden(NONE_HIDDEN);
    setLifted(undefined);
    setDrawAll(false);
  }, [names]);

  const span: TimeSpan = { startMs: query.data?.startMs ?? 0, endMs: query.data?.endMs ?? 0 };

  if (columns === undefined) return <Unanswered isFetching={query.isFetching} />;
  if (columns.series.length === 0) return <NothingToDraw columns={columns} />;

  const zoom = ({ startMs, endMs }: TimeSpan) => {
    const rangeMs = Math.max(RANGE_MS_MIN, Math.round((endMs - startMs) / 1000) * 1000);
    const newEndMs = Math.round(endMs / 1000) * 1000;
    onChange({ rangeMs, endMs: newEndMs >= Date.now() ? undefined : newEndMs });
  };
  const zoomOut = () => {
    const middleMs = (span.startMs + span.endMs) / 2;
    const rangeMs = span.endMs - span.startMs;
    zoom({ startMs: middleMs - rangeMs, endMs: middleMs + rangeMs });
  };
  const drawnCount = drawAll
    ? columns.series.length
    : Math.min(columns.series.length, DRAWN_COUNT_MAX);
  const stillHidden = hidden.size < columns.series.length ? hidden : NONE_HIDDEN;

  return (
    <div>
      {drawnCount < columns.series.length && (
        <Notice
          tone="info"
          aside={
            <Button size="compact-sm" variant="default" onClick={() => setDrawAll(true)}>
              Draw all
            </Button>
          }
        >
          The graph shows the first {wholeNumber(drawnCount)} of{' '}
          {countOf(columns.series.length, 'series', 'series')}. Aggregating, for example with{' '}
          <code>sum by (…)</code> or <code>topk(10, …)</code>, usually tells more.
        </Notice>
      )}
      {columns.histogramSeriesCount > 0 && (
        <Notice tone="info">
          {countOf(columns.histogramSeriesCount, 'series', 'series')} of native histograms cannot be
          drawn as lines. <code>histogram_quantile</code> makes lines of them; the table shows their
          buckets.
        </Notice>
      )}
      <div className={classes.chart}>
        <Suspense fallback={<div className={classes.chartSpace} />}>
          <Chart
            columns={columns}
            span={span}
            drawnCount={drawnCount}
            hidden={stillHidden}
            lifted={lifted}
            stacked={state.stacked}
            fromZero={state.fromZero}
            zone={timeZone}
            onZoom={zoom}
            onZoomOut={zoomOut}
          />
        </Suspense>
        {state.endMs !== undefined && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconZoomOut size={13} />}
            className={classes.zoomOut}
            data-tip="Twice the range (double click)"
            onClick={zoomOut}
          >
            Zoom out
          </Button>
        )}
      </div>
      <Legend
        columns={columns}
        hidden={stillHidden}
        withFigures={legendFigures}
        onHidden={setHidden}
        onLift={setLifted}
      />
    </div>
  );
}

function NothingToDraw({ columns }: { columns: RangeAnswer['data'] }) {
  if (columns.histogramSeriesCount > 0) {
    return (
      <Empty icon={<IconChartLine size={32} />} title="Native histograms only">
        Lines need numbers: wrap the expression in <code>histogram_quantile(0.95, …)</code>,{' '}
        <code>histogram_avg(…)</code> or <code>histogram_count(…)</code>, or look at the table.
      </Empty>
    );
  }
  return (
    <Empty icon={<IconChartLine size={32} />} title="No data in this range">
      <p>
        The expression is fine, but no series matches it between these two moments. Is the metric
        name right? Is the range long enough: <code>rate(…[5m])</code> needs at least two samples
        within five minutes?
      </p>
    </Empty>
  );
}
