import type { Labels } from './labels/labels.ts';

/** One example behind a sample, usually a trace. `timestampMs` is absent when the source gave none. */
export type Exemplar = {
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs?: number;
};

/** OpenMetrics: names and values of an exemplar's labels together, in characters. */
export const EXEMPLAR_LABELS_LENGTH_MAX = 128;
