import { Button } from '@mantine/core';
import { IconStack2 } from '@tabler/icons-react';
import { useGrowing } from '../../parts/growing.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { Notice } from '../../parts/notice.tsx';
import { wholeNumber } from '../../parts/number-text.ts';
import { Card } from '../../parts/page.tsx';
import { StatusBadge } from '../../parts/status-badge.tsx';
import classes from './discovery.module.css';
import type { DiscoveredPool, Found } from './found-targets.ts';

type DiscoveryPoolProps = { pool: DiscoveredPool; onShowSteps: (found: Found) => void };

export function DiscoveryPool({ pool, onShowSteps }: DiscoveryPoolProps) {
  const { shownCount, sentinel } = useGrowing(pool.found.length, 50);
  const unseenCount = pool.droppedCount - pool.keptDroppedCount;
  return (
    <Card
      flush
      title={pool.name}
      aside={
        <span className="nx-dim">
          {wholeNumber(pool.activeCount)} active, {wholeNumber(pool.droppedCount)} dropped
        </span>
      }
    >
      {unseenCount > 0 && (
        <div className={classes.notice}>
          <Notice tone="info">
            {wholeNumber(unseenCount)} dropped targets are not listed, because of{' '}
            <code>keep_dropped_targets</code>.
          </Notice>
        </div>
      )}
      <ul className={classes.list}>
        {pool.found.slice(0, shownCount).map((found, index) => (
          // Discovered labels need not be unique, so the place in the list names the row.
          <li key={index} className={classes.found}>
            <div>
              <div className={classes.caption}>Discovered</div>
              <LabelChips labels={found.discoveredLabels} />
            </div>
            <div>
              <div className={classes.caption}>Target</div>
              {found.labels === undefined ? (
                <StatusBadge tone="idle">dropped</StatusBadge>
              ) : (
                <LabelChips labels={found.labels} />
              )}
            </div>
            <Button
              size="compact-xs"
              variant="subtle"
              leftSection={<IconStack2 size={14} />}
              onClick={() => onShowSteps(found)}
            >
              Relabelling
            </Button>
          </li>
        ))}
      </ul>
      {sentinel}
    </Card>
  );
}
