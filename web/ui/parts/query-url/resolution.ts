/** How far apart the points of a graph lie. */
export type Density = 'low' | 'medium' | 'high';
export type Resolution =
  | { kind: 'auto'; density: Density }
  | { kind: 'fixed' | 'custom'; stepMs: number };

/** Points over the width of the graph; what Prometheus's own UI asks for. */
export const POINT_COUNTS: Record<Density, number> = { low: 100, medium: 250, high: 750 };

export const FIXED_STEPS_MS: readonly number[] = [
  10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000,
];

const STEP_MS_MIN = 1000;

export function stepMsOf(resolution: Resolution, rangeMs: number): number {
  if (resolution.kind !== 'auto') return resolution.stepMs;
  const stepMs = rangeMs / POINT_COUNTS[resolution.density];
  return Math.max(Math.floor(stepMs / 1000) * 1000, STEP_MS_MIN);
}
