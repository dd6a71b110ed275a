/** The stretch of time that the history shows, as the address says it. Pure. */
import { parseDurationMs } from '../../parts/time/duration.ts';
import { momentFromUrl } from '../../parts/time/moment-text.ts';

export const RANGES = ['1h', '6h', '1d', '1w', '30d'] as const;
export const DEFAULT_RANGE = '1d';
/** An open end moves on in steps, so that what was asked for stays the same for a while. */
const STEP_MS = 10_000;

export type HistoryWindow = { startMs: number; endMs: number };

export function windowOf(
  range: string | undefined,
  end: string | undefined,
  nowMs: number,
): HistoryWindow {
  const rangeMs = parseDurationMs(range ?? DEFAULT_RANGE) || parseDurationMs(DEFAULT_RANGE)!;
  const endMs = momentFromUrl(end ?? '') ?? Math.ceil(nowMs / STEP_MS) * STEP_MS;
  return { startMs: endMs - rangeMs, endMs };
}

/** Shares of the window, 0 to 1, of a span that reaches into it. */
export function placeOf(
  span: { start?: string; end?: string },
  { startMs, endMs }: HistoryWindow,
  nowMs: number,
): { from: number; to: number; isOpenLeft: boolean; isOpenRight: boolean } {
  const lengthMs = endMs - startMs;
  const fromMs = span.start === undefined ? startMs : Date.parse(span.start);
  const toMs = span.end === undefined ? Math.min(nowMs, endMs) : Date.parse(span.end);
  const share = (ms: number) => Math.min(1, Math.max(0, (ms - startMs) / lengthMs));
  return {
    from: share(fromMs),
    to: Math.max(share(fromMs), share(toMs)),
    isOpenLeft: fromMs < startMs || span.start === undefined,
    isOpenRight: span.end === undefined || toMs > endMs,
  };
}

const TICK_STEPS_MS = [
  60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000,
  43_200_000, 86_400_000, 172_800_000, 604_800_000,
];

/** Round moments, at most `countMax`, as the wall clock of the zone shows them. */
export function ticksOf(
  { startMs, endMs }: HistoryWindow,
  countMax: number,
  zoneOffsetMs: number,
): { stepMs: number; momentsMs: number[] } {
  const lengthMs = endMs - startMs;
  const stepMs = TICK_STEPS_MS.find((step) => lengthMs / step <= countMax) ?? lengthMs;
  const momentsMs: number[] = [];
  const first = Math.ceil((startMs + zoneOffsetMs) / stepMs) * stepMs - zoneOffsetMs;
  for (let ms = first; ms <= endMs; ms += stepMs) momentsMs.push(ms);
  return { stepMs, momentsMs };
}
