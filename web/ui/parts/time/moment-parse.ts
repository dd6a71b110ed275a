/** Moments as people type them. Pure. */
import { parseDurationMs } from './duration.ts';
import type { TimeZone } from './moment-text.ts';

/**
 * Reads `now`, `2h ago`, `-2h`, `2026-03-01`, `2026-03-01 17:05`, `2026-03-01 17:05:09`, an RFC 3339
 * time with its own zone, and unix seconds.
 */
export function parseMoment(
  text: string,
  zone: TimeZone,
  nowMs: number,
): number | 'now' | undefined {
  const typed = text.trim();
  if (typed === 'now') return 'now';
  const ago = /^-(.+)$/.exec(typed)?.[1] ?? /^(.+?) ?ago$/.exec(typed)?.[1];
  if (ago !== undefined) {
    const agoMs = parseDurationMs(ago.replaceAll(' ', ''));
    return agoMs === undefined ? undefined : nowMs - agoMs;
  }
  if (/^\d{9,11}(?:\.\d+)?$/.test(typed)) return Math.round(Number(typed) * 1000);
  const found =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d?:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:\d\d)?$/.exec(typed);
  if (found === null) return undefined;
  const [, date, clock = '00:00', ownZone] = found;
  const zoneSuffix = ownZone ?? (zone === 'utc' ? 'Z' : '');
  const momentMs = Date.parse(`${date}T${clock.padStart(5, '0')}${zoneSuffix}`);
  return Number.isNaN(momentMs) ? undefined : momentMs;
}
