/** How much came back, and how long it took. */
import type { InstantAnswer } from '../../api/query.ts';
import type { RangeAnswer } from '../../api/query-range.ts';
import type { QueryStats } from '../../api/query-result.ts';
import { countOf, wholeNumber } from '../../parts/number-text.ts';
import { describeDurationMs } from '../../parts/time/duration.ts';
import classes from './query-figures.module.css';

type QueryFiguresProps = { answer: InstantAnswer | RangeAnswer };

export function QueryFigures({ answer }: QueryFiguresProps) {
  const count = resultCount(answer);
  const { stats } = answer.data;
  return (
    <div className={classes.figures} data-tip={stats && describeStats(stats)}>
      {count !== undefined && <span>{countOf(count, 'series', 'series')}</span>}
      <span>{describeDurationMs(answer.elapsedMs)}</span>
    </div>
  );
}

function resultCount({ data }: InstantAnswer | RangeAnswer): number | undefined {
  if ('grid' in data) return data.series.length + data.histogramSeriesCount;
  return data.resultType === 'vector' || data.resultType === 'matrix'
    ? data.result.length
    : undefined;
}

function describeStats({ timings, samples }: QueryStats): string {
  const parts = [];
  const serverSeconds = timings.execTotalTime;
  if (serverSeconds !== undefined) {
    parts.push(`server ${describeDurationMs(serverSeconds * 1000)}`);
  }
  if (samples !== undefined) {
    parts.push(
      `${wholeNumber(samples.totalQueryableSamples)} samples read`,
      `at most ${wholeNumber(samples.peakSamples)} in memory`,
    );
  }
  return parts.join(', ');
}
