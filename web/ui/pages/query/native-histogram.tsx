/** A native histogram: count, sum, and its buckets as bars and as a list. */
import { useState } from 'react';
import type { WireBucket, WireHistogram } from '../../api/query-result.ts';
import { compactNumber } from '../../parts/number-text.ts';
import classes from './native-histogram.module.css';

const WIDTH_PX = 320;
const HEIGHT_PX = 64;

export function NativeHistogram({ histogram }: { histogram: WireHistogram }) {
  const [showsList, setShowsList] = useState(false);
  const buckets = histogram.buckets ?? [];
  return (
    <div className={classes.histogram}>
      <div>
        count {histogram.count} <span className="nx-dim">·</span> sum {histogram.sum}
      </div>
      {buckets.length > 0 && (
        <>
          <Bars buckets={buckets} />
          <button type="button" className={classes.toggle} onClick={() => setShowsList(!showsList)}>
            {showsList ? 'Hide buckets' : `Show ${buckets.length} buckets`}
          </button>
          {showsList && <BucketList buckets={buckets} />}
        </>
      )}
    </div>
  );
}

/** Bars of equal width: on an exponential scheme that is a logarithmic axis. */
function Bars({ buckets }: { buckets: readonly WireBucket[] }) {
  const counts = buckets.map(([, , , count]) => Number(count));
  const highest = Math.max(...counts);
  const width = WIDTH_PX / buckets.length;
  return (
    <svg
      width={WIDTH_PX}
      height={HEIGHT_PX}
      className={classes.bars}
      role="img"
      aria-label={`${buckets.length} buckets from ${buckets[0]![1]} to ${buckets.at(-1)![2]}`}
    >
      {counts.map((count, index) => {
        const height = highest > 0 ? (count / highest) * (HEIGHT_PX - 2) : 0;
        return (
          <rect
            key={buckets[index]![1]}
            x={index * width}
            y={HEIGHT_PX - height}
            width={Math.max(1, width - 1)}
            height={height}
          >
            <title>{`${intervalText(buckets[index]!)}: ${buckets[index]![3]}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function BucketList({ buckets }: { buckets: readonly WireBucket[] }) {
  return (
    <table className={classes.list}>
      <tbody>
        {buckets.map((bucket) => (
          <tr key={bucket[1]}>
            <td>{intervalText(bucket)}</td>
            <td>{bucket[3]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Rule 0: left open, 1: right open, 2: both open, 3: both closed. */
function intervalText([rule, left, right]: WireBucket): string {
  const opening = rule === 1 || rule === 3 ? '[' : '(';
  const closing = rule === 0 || rule === 3 ? ']' : ')';
  const bound = (text: string) =>
    Number.isFinite(Number(text)) ? compactNumber(Number(text)) : text;
  return `${opening}${bound(left)}, ${bound(right)}${closing}`;
}
