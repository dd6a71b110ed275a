import { Link } from '@tanstack/react-router';
import type { AlertingRule } from '../../api/rules.ts';
import { CopyButton } from '../../parts/copy-button.tsx';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { QueryLink } from '../../parts/query-url/query-link.tsx';
import { formatDurationMs } from '../../parts/time/duration.ts';
import classes from './alerts.module.css';
import { AnnotationText } from './annotation-text.tsx';

/** What the rule says: its expression, how long it waits, its annotation templates. */
export function RuleFacts({ rule, why }: { rule: AlertingRule; why: Record<string, string> }) {
  // Active alerts show their own, with the templates filled in.
  const annotations = rule.alerts.length > 0 ? [] : Object.entries(rule.annotations ?? {});
  return (
    <dl className={classes.facts}>
      <dt>Expression</dt>
      <dd>
        <div className={classes.expression}>
          <PromqlText expr={rule.query} />
          <span className={classes.expressionTools}>
            <Link to="/alert-why" search={why}>
              {rule.state === 'firing' ? 'Why' : 'Why not'}
            </Link>
            <QueryLink expr={rule.query}>Open</QueryLink>
            <CopyButton label="Copy the expression" text={() => rule.query} />
          </span>
        </div>
      </dd>
      <dt>Fires</dt>
      <dd>
        {rule.duration > 0
          ? `after it has held for ${formatDurationMs(rule.duration * 1000)}`
          : 'as soon as it holds'}
        {rule.keepFiringFor > 0 &&
          `, and for ${formatDurationMs(rule.keepFiringFor * 1000)} after it stopped`}
      </dd>
      {annotations.map(([name, text]) => (
        <div key={name} className={classes.pair}>
          <dt>{name}</dt>
          <dd>
            <AnnotationText text={text} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
