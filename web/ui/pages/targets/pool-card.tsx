import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { useGrowing } from '../../parts/growing.tsx';
import { countOf } from '../../parts/number-text.ts';
import { ShareBar } from '../../parts/status-badge.tsx';
import classes from './targets.module.css';
import { TargetRow } from './target-row.tsx';
import type { Pool } from './target-pools.ts';

export function PoolCard({ pool }: { pool: Pool }) {
  const [isOpen, setOpen] = useState(true);
  const { shownCount, sentinel } = useGrowing(pool.targets.length, 50);
  const { up, down, unknown } = pool.counts;
  const total = up + down + unknown;
  const summary = down === 0 && unknown === 0 ? `all ${total} up` : `${up} of ${total} up`;
  return (
    <section className={classes.pool} aria-label={`Pool ${pool.name}`}>
      <h2 className={classes.poolHeading}>
        <button
          type="button"
          className={classes.poolHeader}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? <IconChevronDown size={17} /> : <IconChevronRight size={17} />}
          <span className={classes.poolName}>{pool.name}</span>
          {pool.targets.length < total && (
            <span className={classes.poolSummary}>
              {countOf(pool.targets.length, 'passes', 'pass')} the filters
            </span>
          )}
          <span className={classes.poolHealth}>
            <span className={classes.poolSummary} data-bad={down > 0}>
              {summary}
            </span>
            <ShareBar
              label={`${up} up, ${down} down, ${unknown} unknown`}
              shares={[
                { tone: 'ok', count: up },
                { tone: 'bad', count: down },
                { tone: 'idle', count: unknown },
              ]}
            />
          </span>
        </button>
      </h2>
      {isOpen && (
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Endpoint</th>
                <th scope="col">State</th>
                <th scope="col">Labels</th>
                <th scope="col">Last scrape</th>
                <th scope="col">Duration</th>
                <th scope="col">
                  <span className="nx-visually-hidden">Details</span>
                </th>
              </tr>
            </thead>
            {pool.targets.slice(0, shownCount).map((target) => (
              <TargetRow
                key={`${target.scrapeUrl} ${JSON.stringify(target.labels)}`}
                target={target}
              />
            ))}
          </table>
          {sentinel}
        </div>
      )}
    </section>
  );
}
