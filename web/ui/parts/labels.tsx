/** Label sets: as PromQL writes a series, and as separate chips. */
import { memo } from 'react';
import type { LabelSet } from '../api/query-result.ts';
import classes from './labels.module.css';
import { quoteLabelName } from './series-text.ts';

/** `up{job="node", instance="a:9100"}` in colours. */
export const SeriesName = memo(function SeriesName({ labels }: { labels: LabelSet }) {
  const { __name__: name, ...rest } = labels;
  const pairs = Object.entries(rest);
  if (name === undefined && pairs.length === 0)
    return <span className={classes.series}>{'{}'}</span>;
  return (
    <span className={classes.series}>
      {name !== undefined && <span className={classes.metric}>{name}</span>}
      {pairs.length > 0 && '{'}
      {pairs.map(([label, value], index) => (
        <span key={label}>
          {index > 0 && ', '}
          <span className={classes.name}>{quoteLabelName(label)}</span>=
          <span className={classes.value}>{JSON.stringify(value)}</span>
        </span>
      ))}
      {pairs.length > 0 && '}'}
    </span>
  );
});

export const LabelChips = memo(function LabelChips({
  labels,
  without,
}: {
  labels: LabelSet;
  without?: string;
}) {
  return (
    <span className={classes.chips}>
      {Object.entries(labels)
        .filter(([name]) => name !== without)
        .map(([name, value]) => (
          <span key={name} className={classes.chip}>
            <span className={classes.chipName}>{name}</span>
            {value}
          </span>
        ))}
    </span>
  );
});
