/** What a fresh query page shows: ways in, made of what this server really has. */
import { Skeleton } from '@mantine/core';
import { IconChartLine, IconSearch, IconTable, IconTargetArrow } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useMetricNames } from '../../api/labels.ts';
import { useMetadata } from '../../api/metadata.ts';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { wholeNumber } from '../../parts/number-text.ts';
import { Failure } from '../../parts/state-views.tsx';
import { buildExamples, type Example } from './examples.ts';
import classes from './home.module.css';

type HomeProps = {
  onRun: (expr: string, tab: Example['tab']) => void;
  onExplore: () => void;
};

export function Home({ onRun, onExplore }: HomeProps) {
  const names = useMetricNames();
  const metadata = useMetadata();
  const examples = useMemo(
    () => buildExamples(names.data ?? [], metadata.data ?? {}),
    [names.data, metadata.data],
  );
  if (names.error !== null && names.data === undefined) {
    return <Failure error={names.error} retry={() => void names.refetch()} />;
  }
  const isWaiting = names.data === undefined || metadata.isPending;
  const isEmpty = !isWaiting && names.data.length === 0;
  return (
    <div className={classes.home}>
      <header>
        <h2 className={classes.title}>
          {isEmpty ? 'Nothing has been collected yet' : 'What would you like to know?'}
        </h2>
        <p className={classes.intro}>
          {isEmpty
            ? 'As soon as the first target has been scraped, its metrics can be queried here.'
            : 'Type an expression above, or begin with one of these. They use metrics that this server has right now.'}
        </p>
      </header>
      {!isEmpty && (
        <div className={classes.examples}>
          {isWaiting
            ? [0, 1, 2, 3, 4, 5].map((key) => <Skeleton key={key} height={118} radius={10} />)
            : examples.map((example) => (
                <button
                  key={example.title}
                  type="button"
                  className={classes.example}
                  onClick={() => onRun(example.expr, example.tab)}
                >
                  <span className={classes.exampleTitle}>
                    {example.tab === 'graph' ? (
                      <IconChartLine size={17} />
                    ) : (
                      <IconTable size={17} />
                    )}
                    {example.title}
                  </span>
                  <span className={classes.exampleText}>{example.text}</span>
                  <span className={classes.exampleExpr}>
                    <PromqlText expr={example.expr} />
                  </span>
                </button>
              ))}
        </div>
      )}
      <div className={classes.more}>
        <button type="button" className={classes.way} onClick={onExplore}>
          <IconSearch size={18} />
          <span>
            <strong>Explore metrics</strong>
            {names.data === undefined
              ? 'Search by name, see types and help'
              : `Search ${wholeNumber(names.data.length)} names, see types and help`}
          </span>
        </button>
        <Link to="/targets" className={classes.way}>
          <IconTargetArrow size={18} />
          <span>
            <strong>Look at the targets</strong>
            What is scraped, and whether it answers
          </span>
        </Link>
      </div>
      <Primer />
    </div>
  );
}

const PRIMER = [
  ['http_requests_total', 'all series of a metric'],
  ['{job="api", code=~"5.."}', 'only those with these labels'],
  ['rate(http_requests_total[5m])', 'a counter’s growth per second'],
  ['sum by (job) (…)', 'added up, one line per job'],
] as const;

function Primer() {
  return (
    <section className={classes.primer} aria-labelledby="primer-title">
      <h3 id="primer-title">PromQL in four lines</h3>
      <dl>
        {PRIMER.map(([expr, meaning]) => (
          <div key={expr}>
            <dt>
              <PromqlText expr={expr} />
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
