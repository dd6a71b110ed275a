import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Alert, AlertingRule } from '../../api/rules.ts';
import { Ago } from '../../parts/ago.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { compactNumber } from '../../parts/number-text.ts';
import { StatusBadge } from '../../parts/status-badge.tsx';
import { byUrgency } from './alert-groups.ts';
import classes from './alerts.module.css';
import { AnnotationText } from './annotation-text.tsx';
import { STATE_TONES } from './state-tones.ts';

type ActiveAlertsProps = { rule: AlertingRule; why: Record<string, string> };

export function ActiveAlerts({ rule, why }: ActiveAlertsProps) {
  const alerts = useMemo(() => rule.alerts.toSorted(byUrgency), [rule.alerts]);
  const { shownCount, sentinel } = useGrowing(alerts.length, 50);
  if (alerts.length === 0) {
    return <p className={classes.none}>Nothing meets the condition now.</p>;
  }
  return (
    <div className={classes.scroll}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Labels and annotations</th>
            <th scope="col">Active for</th>
            <th scope="col" className={classes.number}>
              Value
            </th>
            <th scope="col">
              <span className="nx-visually-hidden">More</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {alerts.slice(0, shownCount).map((alert) => (
            <Row key={JSON.stringify(alert.labels)} alert={alert} why={why} />
          ))}
        </tbody>
      </table>
      {sentinel}
    </div>
  );
}

function Row({ alert, why }: { alert: Alert; why: ActiveAlertsProps['why'] }) {
  const value = Number(alert.value);
  const annotations = Object.entries(alert.annotations);
  return (
    <tr>
      <td>
        <StatusBadge tone={STATE_TONES[alert.state]}>{alert.state}</StatusBadge>
      </td>
      <td className={classes.wide}>
        <LabelChips labels={alert.labels} without="alertname" />
        {annotations.map(([name, text]) => (
          <div key={name} className={classes.annotation}>
            <span>{name}</span> <AnnotationText text={text} />
          </div>
        ))}
      </td>
      <td>
        <Ago iso={alert.activeAt} plain />
        {alert.keepFiringSince !== undefined && (
          <div className="nx-dim">
            kept firing for <Ago iso={alert.keepFiringSince} plain />
          </div>
        )}
      </td>
      <td className={classes.number} data-tip={alert.value}>
        {Number.isNaN(value) ? alert.value : compactNumber(value)}
      </td>
      <td>
        <Link to="/alert-why" search={{ ...why, labels: JSON.stringify(alert.labels) }}>
          Why
        </Link>
      </td>
    </tr>
  );
}
