/** What the chart says about the moment under the pointer. */
import { IconX } from '@tabler/icons-react';
import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import type { RangeColumns } from '../../api/range-columns.ts';
import { IconButton } from '../icon-button.tsx';
import { SeriesName } from '../labels.tsx';
import { commonLabels } from '../series-text.ts';
import { formatMoment, formatMomentExactly, type TimeZone } from '../time/moment-text.ts';
import classes from './chart.module.css';
import { seriesColor } from './palette.ts';
import type { ValueFormat } from './value-format.ts';
import { withoutLabels } from './legend-order.ts';

export type TipState = {
  step: number;
  /** The series nearest to the pointer. */
  series: number;
  /** Pixels inside the chart, and the chart's size. */
  left: number;
  top: number;
  width: number;
  height: number;
  pinned: boolean;
};

const ROW_COUNT_MAX = 8;

type ChartTipProps = {
  tip: TipState;
  columns: RangeColumns;
  drawnCount: number;
  hidden: ReadonlySet<number>;
  zone: TimeZone;
  format: ValueFormat;
  onClose: () => void;
};

export function ChartTip(props: ChartTipProps) {
  const { tip, columns, zone, format, onClose } = props;
  const isDark = useComputedColorScheme() === 'dark';
  const { grid, series } = columns;
  const common = useMemo(() => commonLabels(series.map((one) => one.labels)), [series]);
  const { rows, moreCount } = rowsAt(props);
  const momentMs = grid.startMs + tip.step * grid.stepMs;
  const writeMoment = grid.stepMs % 1000 === 0 ? formatMoment : formatMomentExactly;

  const isRight = tip.left > tip.width / 2;
  const style = {
    left: isRight ? undefined : tip.left + 16,
    right: isRight ? tip.width - tip.left + 16 : undefined,
    top: Math.max(0, Math.min(tip.top - 20, tip.height - 60)),
    maxWidth: Math.max(180, (isRight ? tip.left : tip.width - tip.left) - 24),
  };
  return (
    <div className={classes.tip} style={style} data-pinned={tip.pinned} data-testid="chart-tip">
      <div className={classes.tipTime}>
        {writeMoment(momentMs, zone)}
        {tip.pinned && (
          <IconButton label="Unpin" size="sm" onClick={onClose}>
            <IconX size={14} />
          </IconButton>
        )}
      </div>
      {rows.map(({ index, value }) => (
        <div key={index} className={classes.tipRow} data-near={index === tip.series}>
          <span className={classes.swatch} style={{ background: seriesColor(index, isDark) }} />
          <span className={classes.tipName}>
            <SeriesName
              labels={
                series.length === 1
                  ? series[index]!.labels
                  : withoutLabels(series[index]!.labels, common)
              }
            />
          </span>
          <span className={classes.tipValue}>{format.text(value, 5)}</span>
        </div>
      ))}
      {moreCount > 0 && <div className={classes.tipMore}>and {moreCount} more</div>}
    </div>
  );
}

/** Ordered as the lines lie on the screen; of many, those around the nearest one. */
function rowsAt({ columns, tip, hidden, drawnCount }: ChartTipProps) {
  const { grid, values } = columns;
  const present = [];
  for (let index = 0; index < drawnCount; index++) {
    const value = values[index * grid.stepCount + tip.step]!;
    if (!Number.isNaN(value) && !hidden.has(index)) present.push({ index, value });
  }
  present.sort((a, b) => b.value - a.value);
  const at = present.findIndex(({ index }) => index === tip.series);
  const last = Math.max(0, present.length - ROW_COUNT_MAX);
  const from = Math.min(Math.max(0, at - ROW_COUNT_MAX / 2), last);
  const rows = present.slice(from, from + ROW_COUNT_MAX);
  return { rows, moreCount: present.length - rows.length };
}
