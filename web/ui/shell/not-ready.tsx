/** While the server reads its write-ahead log, nothing can be asked yet. */
import { useWalReplay } from '../api/readiness.ts';
import { useTitle } from '../parts/page.tsx';
import { Mark } from './mark.tsx';
import classes from './not-ready.module.css';

export function NotReady() {
  useTitle('Starting');
  const { data: replay } = useWalReplay();
  const segmentCount = replay === undefined ? 0 : replay.max - replay.min + 1;
  const doneCount = replay === undefined ? 0 : Math.max(0, replay.current - replay.min + 1);
  const isReplaying = replay !== undefined && replay.max > 0;
  const percent = isReplaying ? Math.min(100, Math.round((doneCount / segmentCount) * 100)) : 0;
  return (
    <div className={classes.box} role="status">
      <Mark size={64} />
      <h1 className={classes.title}>Starting up</h1>
      <p className="nx-dim">
        The newest samples are being read back from the write-ahead log. This page continues by
        itself as soon as the server is ready.
      </p>
      {isReplaying ? (
        <>
          <div
            className={classes.track}
            role="progressbar"
            aria-label="Segments of the log read"
            aria-valuenow={percent}
            aria-valuemin={0}
            aria-valuemax={100}
          >
            <div className={classes.bar} style={{ width: `${percent}%` }} />
          </div>
          <p className="nx-dim nx-figures">
            Segment {Math.min(doneCount, segmentCount)} of {segmentCount} ({percent}%)
          </p>
        </>
      ) : (
        <div className={classes.track} aria-hidden>
          <div className={classes.bar} data-endless="true" />
        </div>
      )}
    </div>
  );
}
