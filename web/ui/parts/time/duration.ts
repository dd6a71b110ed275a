/**
 * Durations as Prometheus writes them: 1d, 1h30m, 500ms.
 * The same language as model/time.ts, which a test compares with; the browser needs only this.
 */
const UNITS_MS = [
  ['y', 365 * 86_400_000],
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const SHAPE = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Undefined for what is no duration; the empty text is none. */
export function parseDurationMs(text: string): number | undefined {
  const found = SHAPE.exec(text.trim());
  if (found === null || found[0] === '') return undefined;
  let totalMs = 0;
  for (const [index, [, unitMs]] of UNITS_MS.entries()) {
    totalMs += Number(found[index + 1] ?? 0) * unitMs;
  }
  return totalMs;
}

/** The shortest exact text. Years and weeks only when nothing is left over, as Prometheus does. */
export function formatDurationMs(durationMs: number): string {
  if (durationMs <= 0) return '0s';
  let restMs = Math.round(durationMs);
  let text = '';
  for (const [unit, unitMs] of UNITS_MS) {
    if ((unit === 'y' || unit === 'w') && restMs % unitMs !== 0) continue;
    const count = Math.floor(restMs / unitMs);
    if (count > 0) text += `${count}${unit}`;
    restMs -= count * unitMs;
  }
  return text;
}

/** For people: two units at most, such as 3d 4h, 2m 5s, 1.4s, 12ms, 0.3ms. */
export function describeDurationMs(durationMs: number): string {
  const sign = durationMs < 0 ? '-' : '';
  const absoluteMs = Math.abs(durationMs);
  if (absoluteMs < 1) return `${sign}${trimZeros(absoluteMs.toFixed(2))}ms`;
  if (absoluteMs < 10) return `${sign}${trimZeros(absoluteMs.toFixed(1))}ms`;
  if (absoluteMs < 1000) return `${sign}${Math.round(absoluteMs)}ms`;
  if (absoluteMs < 10_000) return `${sign}${trimZeros((absoluteMs / 1000).toFixed(1))}s`;
  const parts = [];
  let restMs = Math.round(absoluteMs / 1000) * 1000;
  for (const [unit, unitMs] of UNITS_MS) {
    if (unit === 'y' || unit === 'w') continue;
    const count = Math.floor(restMs / unitMs);
    if (count > 0) parts.push(`${count}${unit}`);
    // A second unit may be skipped (2h 5s says 2h), so that the text has one length of detail.
    else if (parts.length > 0) break;
    restMs -= count * unitMs;
    if (parts.length === 2) break;
  }
  return sign + parts.join(' ');
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** What the + and − of a range control step through. */
export const RANGE_STEPS_MS: readonly number[] = [
  1000, 10_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000,
  86_400_000, 172_800_000, 604_800_000, 1_209_600_000, 2_419_200_000, 4_838_400_000, 15_724_800_000,
  31_536_000_000, 63_072_000_000,
];

export function longerRangeMs(rangeMs: number): number {
  return RANGE_STEPS_MS.find((step) => step > rangeMs) ?? rangeMs;
}

export function shorterRangeMs(rangeMs: number): number {
  return RANGE_STEPS_MS.findLast((step) => step < rangeMs) ?? rangeMs;
}
