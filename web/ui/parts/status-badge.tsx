import type { ReactNode } from 'react';
import classes from './status-badge.module.css';

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle';

/** A word on a tinted ground; never the colour alone. */
export function StatusBadge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      {children}
    </span>
  );
}

/** Shares of a whole as one thin bar, such as 3 up, 1 down. */
export function ShareBar({
  shares,
  label,
}: {
  shares: readonly { tone: Tone; count: number }[];
  label: string;
}) {
  return (
    <div className={classes.bar} role="img" aria-label={label}>
      {shares
        .filter(({ count }) => count > 0)
        .map(({ tone, count }) => (
          <span key={tone} data-tone={tone} style={{ flexGrow: count }} />
        ))}
    </div>
  );
}
