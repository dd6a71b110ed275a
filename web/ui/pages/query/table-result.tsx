/** The table tab: what an expression is at one moment. */
import { SegmentedControl } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { InstantAnswer } from '../../api/query.ts';
import type { QueryResult, WireSample } from '../../api/query-result.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { FilterInput } from '../../parts/filter-input.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { SeriesName } from '../../parts/labels.tsx';
import { countOf } from '../../parts/number-text.ts';
import { Empty, Unanswered } from '../../parts/state-views.tsx';
import { passesFilter } from '../../parts/text-filter.ts';
import { formatMomentExactly } from '../../parts/time/moment-text.ts';
import { useSettings } from '../../settings/settings.ts';
import { NativeHistogram } from './native-histogram.tsx';
import classes from './table-result.module.css';
import { csvOf, labelColumns, type Row, rowsOf, sortRows, type ValueOrder } from './table-rows.ts';

type TableResultProps = {
  query: { data: InstantAnswer | undefined; isFetching: boolean };
};

export function TableResult({ query }: TableResultProps) {
  const { data, isFetching } = query;
  if (data === undefined) return <Unanswered isFetching={isFetching} />;
  const result: QueryResult = data.data;
  if (result.resultType === 'scalar' || result.resultType === 'string') {
    return <Single type={result.resultType} sample={result.result} />;
  }
  const rows = rowsOf(result);
  if (rows.length === 0) {
    return (
      <Empty icon={<IconTable size={32} />} title="Nothing matches">
        <p>
          The expression is fine, but at this moment no series fits it. A sample is visible for five
          minutes after it was scraped, unless its target went away before.
        </p>
      </Empty>
    );
  }
  return <Rows rows={rows} />;
}

type Layout = 'series' | 'columns';

/** With more labels than this, columns no longer fit a window. */
const COLUMN_COUNT_MAX = 14;

function Rows({ rows }: { rows: readonly Row[] }) {
  const [layout, setLayout] = useState<Layout>('series');
  const [filter, setFilter] = useState('');
  const [order, setOrder] = useState<ValueOrder>();
  const columns = useMemo(() => labelColumns(rows), [rows]);
  const shown = useMemo(() => {
    const kept = rows.filter((row) =>
      passesFilter(filter, () =>
        Object.entries(row.labels).map(([name, value]) => `${name}=${value}`),
      ),
    );
    return sortRows(kept, order);
  }, [rows, filter, order]);
  const { shownCount, sentinel } = useGrowing(shown.length, 200);
  const canUseColumns = columns.length > 0 && columns.length <= COLUMN_COUNT_MAX;
  const names = layout === 'columns' && canUseColumns ? columns : undefined;

  return (
    <>
      {rows.length > 3 && (
        <div className={classes.toolbar}>
          <FilterInput label="Filter series" value={filter} onChange={setFilter} width={240} />
          {canUseColumns && (
            <SegmentedControl
              size="xs"
              aria-label="Layout"
              data={[
                { value: 'series', label: 'Series' },
                { value: 'columns', label: 'Labels as columns' },
              ]}
              value={layout}
              onChange={(value) => setLayout(value)}
            />
          )}
          {filter !== '' && (
            <span className="nx-dim">{countOf(shown.length, 'match', 'matches')}</span>
          )}
          <span style={{ marginLeft: 'auto' }}>
            <CopyButton label="Copy as CSV" text={() => csvOf(shown, columns)} />
          </span>
        </div>
      )}
      <div className={classes.scroll}>
        <table className={classes.table}>
          <thead>
            <tr>
              {names === undefined ? (
                <th scope="col">Series</th>
              ) : (
                names.map((name) => (
                  <th key={name} scope="col">
                    {name === '__name__' ? 'metric' : name}
                  </th>
                ))
              )}
              <th
                scope="col"
                className={classes.valueHead}
                aria-sort={order === undefined ? undefined : order}
              >
                <button type="button" onClick={() => setOrder(nextOrder(order))}>
                  Value{order === 'descending' ? ' ↓' : order === 'ascending' ? ' ↑' : ''}
                </button>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.slice(0, shownCount).map((row) => (
              <tr key={row.key}>
                {names === undefined ? (
                  <td>
                    <SeriesName labels={row.labels} />
                  </td>
                ) : (
                  names.map((name) => (
                    <td key={name} className={classes.label}>
                      {row.labels[name] ?? ''}
                    </td>
                  ))
                )}
                <td className={classes.value}>
                  <Value row={row} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sentinel}
    </>
  );
}

function nextOrder(order: ValueOrder): ValueOrder {
  if (order === undefined) return 'descending';
  return order === 'descending' ? 'ascending' : undefined;
}

function Value({ row }: { row: Row }) {
  const { timeZone } = useSettings();
  if (row.histogram !== undefined) return <NativeHistogram histogram={row.histogram} />;
  if (row.samples === undefined) return row.value;
  return row.samples.map(([timestampSeconds, value]) => (
    <div key={timestampSeconds} className={classes.sample}>
      {value}
      <span className="nx-dim">
        {' @ '}
        {formatMomentExactly(timestampSeconds * 1000, timeZone)}
      </span>
    </div>
  ));
}

function Single({ type, sample }: { type: string; sample: WireSample }) {
  return (
    <div className={classes.single}>
      <span className="nx-dim">{type}</span>
      <strong>{sample[1]}</strong>
    </div>
  );
}
