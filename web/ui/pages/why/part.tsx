import { type CSSProperties, useState } from 'react';
import type { ExpressionPart } from '../../api/alert-history.ts';
import { PromqlText } from '../../parts/editor/promql-text.tsx';
import { SeriesName } from '../../parts/labels.tsx';
import { countOf } from '../../parts/number-text.ts';
import { StatusBadge } from '../../parts/status-badge.tsx';
import classes from './why.module.css';

const FEW_ROWS = 3;
const DEPTH_MAX = 6;

/** A part of the expression with its rows, then the parts below it, indented. */
export function Part({ part, depth }: { part: ExpressionPart; depth: number }) {
  const { text, count, relatedCount, error, reason, children } = part;
  const isEmpty = error === undefined && relatedCount === 0;
  return (
    <>
      <div
        className={classes.part}
        style={{ '--depth': Math.min(depth, DEPTH_MAX) } as CSSProperties}
      >
        <div className={classes.head}>
          <PromqlText expr={text} />
          {error !== undefined ? (
            <StatusBadge tone="bad">fails</StatusBadge>
          ) : (
            <StatusBadge tone={isEmpty ? 'idle' : 'info'}>
              {isEmpty ? 'nothing' : rowCountText(part)}
            </StatusBadge>
          )}
        </div>
        {error !== undefined && <p className={classes.error}>{error}</p>}
        {reason !== undefined && <p className={classes.reason}>{reason}</p>}
        {isEmpty && count > 0 && (
          <p className={classes.more}>{countOf(count, 'series', 'series')} of other alerts</p>
        )}
        <Rows part={part} />
      </div>
      {children.map((child, index) => (
        <Part key={`${child.text} ${index}`} part={child} depth={depth + 1} />
      ))}
    </>
  );
}

function rowCountText({ type, relatedCount }: ExpressionPart): string {
  return type === 'scalar' ? 'one number' : countOf(relatedCount, 'series', 'series');
}

function Rows({ part: { rows, relatedCount, type } }: { part: ExpressionPart }) {
  const [isOpen, setOpen] = useState(false);
  if (rows.length === 0) return null;
  const shown = isOpen ? rows : rows.slice(0, FEW_ROWS);
  const hiddenCount = relatedCount - shown.length;
  return (
    <>
      <table className={classes.rows}>
        <tbody>
          {shown.map(({ labels, value, sampleCount }) => (
            <tr key={JSON.stringify(labels)}>
              <td>{type === 'scalar' ? 'scalar' : <SeriesName labels={labels} />}</td>
              <td className={classes.value}>
                {sampleCount > 1 && (
                  <span className={classes.samples}>{sampleCount} samples, the last </span>
                )}
                {value}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {hiddenCount > 0 && rows.length > shown.length && (
        <button type="button" className={classes.all} onClick={() => setOpen(true)}>
          Show {rows.length - shown.length} more
        </button>
      )}
      {hiddenCount > 0 && rows.length === shown.length && (
        <p className={classes.more}>and {hiddenCount} more</p>
      )}
    </>
  );
}
