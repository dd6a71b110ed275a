/** Moments as text, in the zone that the person chose. */
export type TimeZone = 'local' | 'utc';

const two = (number: number) => String(number).padStart(2, '0');

/** A Date whose *local* getters read the wall clock of `zone`. */
function wallClock(momentMs: number, zone: TimeZone): Date {
  const date = new Date(momentMs);
  if (zone === 'local') return date;
  return new Date(
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  );
}

function dateText(date: Date): string {
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function clockText(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** 2026-03-01 17:05:09 */
export function formatMoment(momentMs: number, zone: TimeZone): string {
  const date = wallClock(momentMs, zone);
  return `${dateText(date)} ${clockText(date)}`;
}

/** 2026-03-01 17:05:09.250 */
export function formatMomentExactly(momentMs: number, zone: TimeZone): string {
  const milliseconds = ((Math.round(momentMs) % 1000) + 1000) % 1000;
  return `${formatMoment(momentMs, zone)}.${String(milliseconds).padStart(3, '0')}`;
}

/** The zone's short name, such as UTC or GMT-3. */
export function zoneName(zone: TimeZone): string {
  if (zone === 'utc') return 'UTC';
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts();
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'local';
}

/** The value of `<input type="datetime-local" step="1">`. */
export function toInputValue(momentMs: number, zone: TimeZone): string {
  return formatMoment(momentMs, zone).replace(' ', 'T');
}

export function fromInputValue(value: string, zone: TimeZone): number | undefined {
  const momentMs = Date.parse(zone === 'utc' ? `${value}Z` : value);
  return Number.isNaN(momentMs) ? undefined : momentMs;
}

/** Addresses carry UTC: 2026-03-01 17:05:09. */
export const momentToUrl = (momentMs: number): string => formatMoment(momentMs, 'utc');

/** Reads what any Prometheus UI wrote: with or without seconds; unix seconds are taken as well. */
export function momentFromUrl(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const found = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)Z?$/.exec(text.trim());
  if (found === null) return undefined;
  const momentMs = Date.parse(`${found[1]}T${found[2]}Z`);
  return Number.isNaN(momentMs) ? undefined : momentMs;
}
