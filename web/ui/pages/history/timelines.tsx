import { Link } from '@tanstack/react-router';
import type { AlertSpan, AlertTimeline } from '../../api/alert-history.ts';
import { useNowMs } from '../../parts/ago.tsx';
import { useGrowing } from '../../parts/growing.tsx';
import { LabelChips } from '../../parts/labels.tsx';
import { describeDurationMs } from '../../parts/time/duration.ts';
import { formatMoment, type TimeZone } from '../../parts/time/moment-text.ts';
import { useSettings } from '../../settings/settings.ts';
import classes from './history.module.css';
import { type HistoryWindow, placeOf, ticksOf } from './window.ts';

const DAY_MS = 86_400_000;
const TICK_COUNT_MAX = 7;

type TimelinesProps = {
  alerts: readonly AlertTimeline[];
  window: HistoryWindow;
  onChoose: (fingerprint: string) => void;
};

/** One row for each alert; its states are bars on a common axis. */
export function Timelines({ alerts, window, onChoose }: TimelinesProps) {
  const { shownCount, sentinel } = useGrowing(alerts.length, 40);
  const { timeZone } = useSettings();
  if (alerts.length === 0) return <p className={classes.none}>No alert passes this filter.</p>;
  return (
    <div className={classes.timelines}>
      <Axis window={window} zone={timeZone} />
      {alerts.slice(0, shownCount).map((alert) => (
        <div key={alert.fingerprint} className={classes.row}>
          <div className={classes.alert}>
            <button
              type="button"
              className={classes.name}
              onClick={() => onChoose(alert.fingerprint)}
            >
              {alert.rule}
            </button>
            <LabelChips labels={alert.labels} without="alertname" />
          </div>
          <Track alert={alert} window={window} zone={timeZone} />
        </div>
      ))}
      {sentinel}
    </div>
  );
}

function Axis({ window, zone }: { window: HistoryWindow; zone: TimeZone }) {
  const offsetMs = zone === 'utc' ? 0 : -new Date(window.endMs).getTimezoneOffset() * 60_000;
  const { stepMs, momentsMs } = ticksOf(window, TICK_COUNT_MAX, offsetMs);
  const lengthMs = window.endMs - window.startMs;
  return (
    <div className={classes.row} aria-hidden>
      <div className={classes.alert} />
      <div className={classes.axis}>
        {momentsMs.map((ms) => {
          const text = formatMoment(ms, zone);
          const share = (ms - window.startMs) / lengthMs;
          // The first and the last would stick out.
          if (share < 0.03 || share > 0.97) return null;
          return (
            <span key={ms} style={{ left: `${share * 100}%` }}>
              {stepMs >= DAY_MS ? text.slice(5, 10) : text.slice(11, 16)}
            </span>
          );
        })}
      </div>
    </div>
  );
}

function Track({
  alert,
  window,
  zone,
}: {
  alert: AlertTimeline;
  window: HistoryWindow;
  zone: TimeZone;
}) {
  const nowMs = useNowMs();
  return (
    <div className={classes.track}>
      {alert.spans.map((span) => {
        const { from, to, isOpenLeft, isOpenRight } = placeOf(span, window, nowMs);
        const text = spanText(span, alert.isActive, zone, nowMs);
        const style = { left: `${from * 100}%`, width: `${(to - from) * 100}%` };
        const shape = {
          className: classes.span,
          style,
          'data-state': span.state,
          'data-open-left': isOpenLeft,
          'data-open-right': isOpenRight,
          'data-tip': text,
          'aria-label': text,
        };
        const key = `${span.start} ${span.state}`;
        if (span.event === undefined) return <span key={key} role="img" {...shape} />;
        return <Link key={key} to="/alert-why" search={{ event: span.event }} {...shape} />;
      })}
    </div>
  );
}

function spanText(
  { state, start, end, value }: AlertSpan,
  isActive: boolean,
  zone: TimeZone,
  nowMs: number,
): string {
  const startMs = start === undefined ? undefined : Date.parse(start);
  const endMs = end === undefined ? nowMs : Date.parse(end);
  const since = startMs === undefined ? 'from before' : `from ${formatMoment(startMs, zone)}`;
  const long = startMs === undefined ? '' : `, ${describeDurationMs(endMs - startMs)}`;
  const ending = end === undefined ? (isActive ? ' until now' : ', end not seen') : '';
  const worth = value === undefined ? '' : `, value ${Number(value)}`;
  return `${state} ${since}${ending}${long}${worth}`;
}
