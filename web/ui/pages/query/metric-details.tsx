/** One metric: what it means, which labels it has, and queries that suit its type. */
import { Button } from '@mantine/core';
import { IconArrowLeft, IconChartLine, IconTable } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useSeries } from '../../api/labels.ts';
import type { MetricMetadata } from '../../api/metric-metadata.ts';
import type { LabelSet } from '../../api/query-result.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { countOf, wholeNumber } from '../../parts/number-text.ts';
import { selectorText } from '../../parts/series-text.ts';
import { Loaded } from '../../parts/state-views.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import classes from './metric-details.module.css';
import { type LabelUse, labelUse, suggestQueries } from './metric-search.ts';

/** Counting values over more series than this is not worth the wait. */
const SERIES_COUNT_MAX = 2000;
const VALUE_COUNT_SHOWN = 8;

type MetricDetailsProps = {
  name: string;
  metadata: MetricMetadata | undefined;
  onBack: () => void;
  onRun: (expr: string, tab?: 'graph' | 'table') => void;
};

export function MetricDetails({ name, metadata, onBack, onRun }: MetricDetailsProps) {
  const [matchers, setMatchers] = useState<LabelSet>({});
  const selector = selectorText(name, matchers);
  const series = useSeries(selector, SERIES_COUNT_MAX);

  const toggle = (label: string, value: string) => {
    const { [label]: known, ...rest } = matchers;
    setMatchers(known === value ? rest : { ...rest, [label]: value });
  };
  return (
    <div className={classes.details}>
      <Button
        className={classes.back}
        variant="subtle"
        size="compact-sm"
        leftSection={<IconArrowLeft size={15} />}
        onClick={onBack}
      >
        All metrics
      </Button>
      <h3 className={classes.name}>
        {name} <CopyButton label="Copy the name" text={() => name} />
      </h3>
      <div className={classes.facts}>
        {metadata?.type && <StatusBadge tone="info">{metadata.type}</StatusBadge>}
        {metadata?.unit && <span>in {metadata.unit}</span>}
        {series.data !== undefined && (
          <span className="nx-dim">
            {series.data.data.length === SERIES_COUNT_MAX ? 'at least ' : ''}
            {countOf(series.data.data.length, 'series', 'series')}
          </span>
        )}
      </div>
      {metadata?.help && <p className={classes.help}>{metadata.help}</p>}

      <h4 className={classes.heading}>Queries</h4>
      <ul className={classes.queries}>
        {suggestQueries(name, metadata?.type, matchers).map(({ title, expr, tab }) => (
          <li key={title}>
            <button type="button" onClick={() => onRun(expr, tab)}>
              {tab === 'graph' ? <IconChartLine size={16} /> : <IconTable size={16} />}
              <span className={classes.queryTitle}>{title}</span>
              <PromqlText expr={expr} />
            </button>
          </li>
        ))}
      </ul>

      <h4 className={classes.heading}>
        Labels <span className="nx-dim">click a value to keep only its series</span>
      </h4>
      <Loaded query={series}>
        {({ data }) => <Labels series={data} matchers={matchers} onToggle={toggle} />}
      </Loaded>
    </div>
  );
}

type LabelsProps = {
  series: readonly LabelSet[];
  matchers: LabelSet;
  onToggle: (label: string, value: string) => void;
};

function Labels({ series, matchers, onToggle }: LabelsProps) {
  const uses = useMemo(() => labelUse(series), [series]);
  if (uses.length === 0) return <p className="nx-dim">It has no labels.</p>;
  return uses.map((use) => (
    <LabelValues key={use.name} use={use} chosen={matchers[use.name]} onToggle={onToggle} />
  ));
}

function LabelValues({
  use,
  chosen,
  onToggle,
}: {
  use: LabelUse;
  chosen: string | undefined;
  onToggle: LabelsProps['onToggle'];
}) {
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? use.values : use.values.slice(0, VALUE_COUNT_SHOWN);
  const restCount = use.values.length - shown.length;
  return (
    <div className={classes.label}>
      <div className={classes.labelName}>
        {use.name} <span>{wholeNumber(use.values.length)}</span>
      </div>
      <div className={classes.values}>
        {shown.map(({ value, seriesCount }) => (
          <button
            key={value}
            type="button"
            className={classes.value}
            aria-pressed={value === chosen}
            onClick={() => onToggle(use.name, value)}
          >
            {value === '' ? '""' : value}
            <span>{wholeNumber(seriesCount)}</span>
          </button>
        ))}
        {restCount > 0 && (
          <button type="button" className={classes.more} onClick={() => setShowsAll(true)}>
            {wholeNumber(restCount)} more
          </button>
        )}
      </div>
    </div>
  );
}
