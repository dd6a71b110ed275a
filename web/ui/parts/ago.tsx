/** Moments relative to now, kept up to date by one clock for the whole page. */
import { useSyncExternalStore } from 'react';
import { useSettings } from '../settings/settings.ts';
import { describeDurationMs } from './time/duration.ts';
import { formatMoment, zoneName } from './time/moment-text.ts';

const TICK_MS = 1000;
const listeners = new Set<() => void>();
let nowMs = Date.now();
let timer = 0;

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    nowMs = Date.now();
    timer = window.setInterval(() => {
      nowMs = Date.now();
      for (const tell of listeners) tell();
    }, TICK_MS);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.clearInterval(timer);
  };
}

export function useNowMs(): number {
  return useSyncExternalStore(subscribe, () => nowMs);
}

/** The API's zero time, year 1, stands for never. */
function momentOf(iso: string | undefined): number | undefined {
  const momentMs = Date.parse(iso ?? '');
  return Number.isNaN(momentMs) || momentMs < 0 ? undefined : momentMs;
}

/** "12s ago", with the exact moment as a tip; "never" for the API's zero time. */
export function Ago({ iso, plain = false }: { iso: string | undefined; plain?: boolean }) {
  const now = useNowMs();
  const { timeZone } = useSettings();
  const momentMs = momentOf(iso);
  if (momentMs === undefined) return <span className="nx-dim">never</span>;
  const agoMs = Math.max(0, Math.floor((now - momentMs) / 1000) * 1000);
  const text = agoMs < 1000 ? 'now' : describeDurationMs(agoMs);
  const exact = `${formatMoment(momentMs, timeZone)} ${zoneName(timeZone)}`;
  return (
    <time dateTime={iso} data-tip={exact} className="nx-figures" style={{ whiteSpace: 'nowrap' }}>
      {text === 'now' ? 'just now' : plain ? text : `${text} ago`}
    </time>
  );
}

/** 2026-03-01 17:05:09 UTC */
export function Moment({ ms }: { ms: number }) {
  const { timeZone } = useSettings();
  return (
    <time dateTime={new Date(ms).toISOString()} className="nx-figures">
      {formatMoment(ms, timeZone)} <span className="nx-dim">{zoneName(timeZone)}</span>
    </time>
  );
}
