import { Moment } from '../../parts/ago.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import type { Fact } from './facts.ts';
import classes from './status.module.css';

export function FactTable({ facts }: { facts: readonly Fact[] }) {
  return (
    <table className={classes.facts}>
      <tbody>
        {facts.map((fact) => (
          <tr key={fact.name}>
            <th scope="row">{fact.name}</th>
            <td>
              <FactValue fact={fact} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function FactValue({ fact }: { fact: Fact }) {
  const momentMs = fact.isMoment ? Date.parse(fact.text) : Number.NaN;
  if (!Number.isNaN(momentMs)) return <Moment ms={momentMs} />;
  if (fact.tone !== undefined) return <StatusBadge tone={fact.tone}>{fact.text}</StatusBadge>;
  return fact.text;
}
