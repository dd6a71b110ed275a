/** The list of a chart's series: what tells them apart, their figures, and which are shown. */
import { useComputedColorScheme } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { type MouseEvent, useMemo, useState } from 'react';
import type { RangeColumns } from '../../api/range-columns.ts';
import { useGrowing } from '../growing.tsx';
import { SeriesName } from '../labels.tsx';
import { commonLabels } from '../series-text.ts';
import classes from './legend.module.css';
import {
  hiddenAfterClick,
  type LegendColumn,
  type LegendOrder,
  nextOrder,
  orderedSeries,
  withoutLabels,
} from './legend-order.ts';
import { seriesColor } from './palette.ts';
import { valueFormatOf } from './value-format.ts';

const COLUMNS: readonly LegendColumn[] = ['last', 'min', 'mean', 'max'];

type LegendProps = {
  columns: RangeColumns;
  hidden: ReadonlySet<number>;
  withFigures: boolean;
  onHidden: (hidden: ReadonlySet<number>) => void;
  onLift: (series: number | undefined) => void;
};

export function Legend({ columns, hidden, withFigures, onHidden, onLift }: LegendProps) {
  const { series } = columns;
  const isDark = useComputedColorScheme() === 'dark';
  const [order, setOrder] = useState<LegendOrder>();
  const common = useMemo(() => commonLabels(series.map((one) => one.labels)), [series]);
  const format = useMemo(() => valueFormatOf(series), [series]);
  const ordered = useMemo(() => orderedSeries(series, order), [series, order]);
  const { shownCount, sentinel } = useGrowing(ordered.length, 100);

  const click = (index: number, event: MouseEvent) => {
    const isModified = event.ctrlKey || event.metaKey || event.shiftKey;
    onHidden(hiddenAfterClick(hidden, index, series.length, isModified));
  };

  return (
    <div className={classes.legend}>
      {Object.keys(common).length > 0 && (
        <div className={classes.common}>
          <span className={classes.commonTitle}>All series</span>
          <SeriesName labels={common} />
        </div>
      )}
      {/* Scrolls, hence reachable by keyboard. */}
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Legend">
        <table className={classes.table} onMouseLeave={() => onLift(undefined)}>
          <thead>
            <tr>
              <th scope="col">Series</th>
              {withFigures &&
                COLUMNS.map((column) => (
                  <th
                    key={column}
                    scope="col"
                    aria-sort={
                      order?.by === column
                        ? order.descending
                          ? 'descending'
                          : 'ascending'
                        : undefined
                    }
                  >
                    <button type="button" onClick={() => setOrder(nextOrder(order, column))}>
                      {order?.by === column &&
                        (order.descending ? (
                          <IconArrowDown size={12} />
                        ) : (
                          <IconArrowUp size={12} />
                        ))}
                      {column}
                    </button>
                  </th>
                ))}
            </tr>
          </thead>
          <tbody>
            {ordered.slice(0, shownCount).map((index) => {
              const one = series[index]!;
              const labels = series.length === 1 ? one.labels : withoutLabels(one.labels, common);
              return (
                <tr
                  key={index}
                  data-hidden={hidden.has(index)}
                  onMouseEnter={() => onLift(hidden.has(index) ? undefined : index)}
                >
                  <td>
                    <button
                      type="button"
                      aria-pressed={!hidden.has(index)}
                      className={classes.name}
                      onClick={(event) => click(index, event)}
                    >
                      <span
                        className={classes.swatch}
                        style={{ background: seriesColor(index, isDark) }}
                      />
                      <SeriesName labels={labels} />
                    </button>
                  </td>
                  {withFigures &&
                    COLUMNS.map((column) => <td key={column}>{format.text(one[column])}</td>)}
                </tr>
              );
            })}
          </tbody>
        </table>
        {sentinel}
      </div>
    </div>
  );
}
