import { expect, test } from 'vitest';
import { warmUp } from '../../promql/index.ts';

const EMPTY_SIZE_BYTES = '{"status":"success","data":{"resultType":"vector","result":[]}}'.length;

test('every made-up query has an answer that is worth writing', () => {
  const sizes = warmUp().take(28).toArray();
  expect(sizes.filter((sizeBytes) => sizeBytes < EMPTY_SIZE_BYTES + 20)).toEqual([]);
  // Instant and range queries take turns; a range has more to write.
  expect(sizes[1]).toBeGreaterThan(sizes[0]! * 2);
});

test('it starts over when it has been through', () => {
  const sizes = warmUp().take(56).toArray();
  expect(sizes.slice(28)).toEqual(sizes.slice(0, 28));
});
