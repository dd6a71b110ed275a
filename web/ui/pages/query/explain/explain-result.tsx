/** The explain tab: every step of an expression, what it means, and what it gives right now. */
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { fetchInstant, type InstantAnswer } from '../../../api/query.ts';
import { PromqlText } from '../../../parts/editor/promql-text.tsx';
import { countOf } from '../../../parts/number-text.ts';
import { Empty } from '../../../parts/state-views.tsx';
import { describeDurationMs } from '../../../parts/time/duration.ts';
import classes from './explain.module.css';
import { explainSteps, type Step } from './explain-steps.ts';
import { labelSummary } from './label-summary.ts';

type ExplainResultProps = { expr: string; momentMs: number | undefined; runCount: number };

/** Enough to see what a step gives; the whole result may be large. */
const SERIES_COUNT_MAX = 1000;

export default function ExplainResult({ expr, momentMs, runCount }: ExplainResultProps) {
  const root = useMemo(() => explainSteps(expr), [expr]);
  if (root === undefined) {
    return (
      <Empty title="This is not a whole expression yet">
        The table and graph tabs say where it is wrong.
      </Empty>
    );
  }
  return (
    <div className={classes.tree}>
      <p className={classes.intro}>
        Read from the bottom up: the innermost steps come first, and each hands its series to the
        one above it.
      </p>
      <ul className={classes.steps}>
        <StepView step={root} momentMs={momentMs} runCount={runCount} />
      </ul>
    </div>
  );
}

type StepViewProps = { step: Step; momentMs: number | undefined; runCount: number };

function StepView({ step, momentMs, runCount }: StepViewProps) {
  return (
    <li className={classes.step}>
      <div className={classes.row}>
        <div className={classes.text}>
          <div className={classes.expr}>
            <PromqlText expr={step.expr} />
          </div>
          <div className={classes.meaning}>{step.meaning}</div>
        </div>
        {step.probe !== undefined && (
          <Outcome
            probe={step.probe}
            isFirst={step.inputs.length === 0}
            momentMs={momentMs}
            runCount={runCount}
          />
        )}
      </div>
      {step.inputs.length > 0 && (
        <ul className={classes.steps}>
          {step.inputs.map((input, index) => (
            // The same selector may occur twice; the place tells the two apart.
            <StepView
              key={`${index} ${input.expr}`}
              step={input}
              momentMs={momentMs}
              runCount={runCount}
            />
          ))}
        </ul>
      )}
    </li>
  );
}

type OutcomeProps = {
  probe: string;
  /** It takes its series from the storage rather than from another step. */
  isFirst: boolean;
  momentMs: number | undefined;
  runCount: number;
};

function Outcome({ probe, isFirst, momentMs, runCount }: OutcomeProps) {
  const { data, error } = useQuery({
    queryKey: ['explain', probe, momentMs ?? 'now', runCount],
    queryFn: ({ signal }) => fetchInstant(probe, momentMs, SERIES_COUNT_MAX, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (error !== null) {
    return (
      <div className={classes.outcome} data-tone="bad">
        <IconAlertTriangle size={15} aria-hidden />
        <span>{error.message}</span>
      </div>
    );
  }
  if (data === undefined) return <div className={classes.outcome}>…</div>;
  const { count, value, labels } = outcomeOf(data);
  const serverSeconds = data.data.stats?.timings.execTotalTime;
  const serverMs = serverSeconds === undefined ? undefined : serverSeconds * 1000;
  return (
    <div className={classes.outcome} data-tone={count === 0 ? 'warn' : undefined}>
      <div>
        <strong>{value ?? countOf(count, 'series', 'series')}</strong>
        <span className="nx-dim"> {describeDurationMs(serverMs ?? data.elapsedMs)}</span>
      </div>
      {count === 0 && isFirst && <div>nothing matches</div>}
      {labels !== '' && <div className="nx-dim">{labels}</div>}
    </div>
  );
}

function outcomeOf({ data }: InstantAnswer): {
  count: number;
  value: string | undefined;
  labels: string;
} {
  if (data.resultType === 'scalar' || data.resultType === 'string') {
    return { count: 1, value: data.result[1], labels: '' };
  }
  const sets = data.result.map((one) => one.metric);
  const isCut = sets.length === SERIES_COUNT_MAX;
  return {
    count: sets.length,
    value: isCut ? `at least ${countOf(sets.length, 'series', 'series')}` : undefined,
    labels: labelSummary(sets),
  };
}
