import { IconBell, IconDatabaseEdit } from '@tabler/icons-react';
import { memo } from 'react';
import type { SelectorCheck } from '../../api/alert-history.ts';
import type { Rule, RuleHealth } from '../../api/rules.ts';
import { Ago } from '../../parts/ago.tsx';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { Notice } from '../../parts/notice.tsx';
import { QueryLink } from '../../parts/query-url/query-link.tsx';
import { StatusBadge, type Tone } from '../../parts/status-badge.tsx';
import { describeDurationMs, formatDurationMs } from '../../parts/time/duration.ts';
import classes from './rules.module.css';

const HEALTH: Record<RuleHealth, { tone: Tone; word: string }> = {
  ok: { tone: 'ok', word: 'healthy' },
  err: { tone: 'bad', word: 'failing' },
  unknown: { tone: 'idle', word: 'not yet run' },
};

type RuleRowProps = {
  rule: Rule;
  /** Of a rule with one that finds nothing. */
  selectors: readonly SelectorCheck[] | undefined;
};

export const RuleRow = memo(function RuleRow({ rule, selectors }: RuleRowProps) {
  const isAlert = rule.type === 'alerting';
  const { tone, word } = HEALTH[rule.health];
  const labels = rule.labels ?? {};
  return (
    <article className={classes.rule}>
      <div className={classes.head}>
        <span className={classes.kind} data-tip={isAlert ? 'Alerting rule' : 'Recording rule'}>
          {isAlert ? <IconBell size={17} /> : <IconDatabaseEdit size={17} />}
          <span className="nx-visually-hidden">{isAlert ? 'Alerting' : 'Recording'} rule</span>
        </span>
        <h3 className={classes.name}>
          {isAlert ? (
            rule.name
          ) : (
            <QueryLink expr={rule.name} className={classes.recorded}>
              {rule.name}
            </QueryLink>
          )}
        </h3>
        <span className={classes.figures}>
          <span>
            <Ago iso={rule.lastEvaluation} />
          </span>
          <span>{describeDurationMs(rule.evaluationTime * 1000)}</span>
        </span>
        <StatusBadge tone={tone}>{word}</StatusBadge>
      </div>
      <div className={classes.expression}>
        <QueryLink expr={rule.query} className={classes.open}>
          <PromqlText expr={rule.query} />
        </QueryLink>
      </div>
      {(Object.keys(labels).length > 0 || isAlert) && (
        <div className={classes.extra}>
          {isAlert && rule.duration > 0 && (
            <span>for {formatDurationMs(rule.duration * 1000)}</span>
          )}
          {isAlert && rule.keepFiringFor > 0 && (
            <span>keep firing for {formatDurationMs(rule.keepFiringFor * 1000)}</span>
          )}
          <LabelChips labels={labels} />
        </div>
      )}
      {selectors !== undefined && <SilentSelectors selectors={selectors} />}
      {rule.lastError && <Notice tone="bad">{rule.lastError}</Notice>}
    </article>
  );
});

/** A rule that reads what does not exist can never do anything. */
function SilentSelectors({ selectors }: { selectors: readonly SelectorCheck[] }) {
  const silent = selectors.filter(({ problem }) => problem !== null);
  return (
    <Notice
      tone={silent.length === selectors.length ? 'warn' : 'info'}
      title={
        silent.length === selectors.length
          ? 'Nothing that this rule looks at exists'
          : `${silent.length} of ${selectors.length} selectors find nothing`
      }
    >
      {silent.map(({ selector, problem }) => (
        <div key={selector}>
          <code>{selector}</code>: {problem!.text}
        </div>
      ))}
    </Notice>
  );
}
