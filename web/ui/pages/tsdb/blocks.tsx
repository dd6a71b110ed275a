import type { Block } from '../../api/status.ts';
import { Moment } from '../../parts/ago.tsx';
import { compactNumber } from '../../parts/number-text.ts';
import { Empty } from '../../parts/state-views.tsx';
import { describeDurationMs } from '../../parts/time/duration.ts';
import classes from './tsdb.module.css';

/** Blocks on a time line and in a list, newest first. */
export function Blocks({ blocks }: { blocks: readonly Block[] }) {
  if (blocks.length === 0) {
    return (
      <Empty title="No blocks yet">
        Samples stay in memory and in the log first. Every two hours the oldest two are written to
        disk as a block.
      </Empty>
    );
  }
  const sorted = blocks.toSorted((a, b) => b.minTime - a.minTime);
  const startMs = Math.min(...blocks.map(({ minTime }) => minTime));
  const spanMs = Math.max(...blocks.map(({ maxTime }) => maxTime)) - startMs;
  return (
    <div className={classes.scroll}>
      <div className={classes.timeline} aria-hidden>
        {blocks.map((block) => (
          <span
            key={block.ulid}
            data-tip={`${block.ulid}, level ${block.compaction.level}`}
            style={{
              left: `${((block.minTime - startMs) / spanMs) * 100}%`,
              width: `${((block.maxTime - block.minTime) / spanMs) * 100}%`,
              opacity: Math.max(0.35, 1 - (block.compaction.level - 1) * 0.2),
            }}
          />
        ))}
      </div>
      <table className={classes.blocks}>
        <thead>
          <tr>
            <th scope="col">Block</th>
            <th scope="col">From</th>
            <th scope="col">Span</th>
            <th scope="col">Level</th>
            <th scope="col">Series</th>
            <th scope="col">Samples</th>
            <th scope="col">Chunks</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((block) => (
            <tr key={block.ulid}>
              <td className="nx-mono">{block.ulid}</td>
              <td>
                <Moment ms={block.minTime} />
              </td>
              <td>{describeDurationMs(block.maxTime - block.minTime)}</td>
              <td>{block.compaction.level}</td>
              <td>{compactNumber(block.stats.numSeries ?? 0)}</td>
              <td>{compactNumber(block.stats.numSamples ?? 0)}</td>
              <td>{compactNumber(block.stats.numChunks ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
