import type { NamedCount } from '../../api/status.ts';
import { wholeNumber } from '../../parts/number-text.ts';
import { Card } from '../../parts/page.tsx';
import { QueryLink } from '../../parts/query-url/query-link.tsx';
import classes from './tsdb.module.css';

type TopListProps = {
  title: string;
  hint: string;
  entries: readonly NamedCount[];
  /** What a whole bar stands for; the largest entry when absent. */
  total?: number;
  format?: (value: number) => string;
  /** A query that leads further. */
  exprOf?: (name: string) => string;
};

export function TopList({
  title,
  hint,
  entries,
  total,
  format = wholeNumber,
  exprOf,
}: TopListProps) {
  const whole = Math.max(total ?? 0, ...entries.map(({ value }) => value), 1);
  return (
    <Card title={title} aside={<span className={classes.hint}>{hint}</span>}>
      {entries.length === 0 && <span className="nx-dim">Nothing yet</span>}
      <ol className={classes.list}>
        {entries.map(({ name, value }) => (
          <li key={name}>
            <span className={classes.bar} style={{ width: `${(value / whole) * 100}%` }} />
            <span className={classes.entryName}>
              {exprOf === undefined ? (
                name
              ) : (
                <QueryLink expr={exprOf(name)} tab="table">
                  {name}
                </QueryLink>
              )}
            </span>
            <span className={classes.entryValue}>
              {format(value)}
              {total !== undefined && total > 0 && (
                <span className="nx-dim"> {((value / total) * 100).toFixed(1)}%</span>
              )}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
