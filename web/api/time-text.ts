/** Times as the API shows them. */

/** Go's zero time, which stands for "never". */
export const NEVER_TEXT = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC with as many decimals as there are: `2026-01-02T13:37:00.5Z`. */
export function timeText(timeMs: number | null): string {
  if (timeMs === null) return NEVER_TEXT;
  const text = new Date(timeMs).toISOString();
  return text.replace(/\.(\d*?)0*Z$/, (_, digits: string) => (digits === '' ? 'Z' : `.${digits}Z`));
}

/** The same in whole seconds. */
export function secondTimeText(timeMs: number): string {
  return timeText(Math.floor(timeMs / 1000) * 1000);
}
