/** What a sender is told whose sample has the time, but not the value, of one that is there. */
import {
  formatFloatShort,
  type Labels,
  Matcher,
  type Queryable,
  SampleBuffer,
} from '../../model/index.ts';

/** From here on numbers are shown with an exponent. */
const LARGE_EXPONENT = 21;

export function describeDuplicate(
  storage: Queryable,
  labels: Labels,
  timestampMs: number,
  value: number,
): string {
  const existing = existingText(storage, labels, timestampMs);
  const what = 'duplicate sample for timestamp';
  if (existing === null) return what;
  const given = formatFloatShort(value, LARGE_EXPONENT);
  return `${what} ${timestampMs}; overrides not allowed: existing ${existing}, new value ${given}`;
}

/** Null when it cannot be found. */
function existingText(storage: Queryable, labels: Labels, timestampMs: number): string | null {
  const querier = storage.querier(timestampMs, timestampMs);
  try {
    const matchers = [...labels].map(([name, text]) => new Matcher(name, '=', text));
    const selected = querier.select(matchers, { minMs: timestampMs, maxMs: timestampMs });
    // Series with more labels match as well.
    const row = selected.labels.findIndex((found) => found.equals(labels));
    if (row < 0) return null;
    const samples = new SampleBuffer();
    selected.read(row, timestampMs, timestampMs, samples);
    if (samples.count === 0) return null;
    const isHistogram = (samples.histograms?.[0] ?? null) !== null;
    return isHistogram ? 'is a histogram' : formatFloatShort(samples.values[0]!, LARGE_EXPONENT);
  } finally {
    querier.close();
  }
}
