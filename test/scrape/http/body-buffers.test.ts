import { expect, test } from 'vitest';
import { BodyBuffers } from '../../../scrape/http/body-buffers.ts';

const SIZE_BYTES = 100_000;
const BUFFER_SIZE_BYTES = 131_072;

test('keeps as many buffers as are in use at a time, and gives the others back', () => {
  const buffers = new BodyBuffers();
  const burst = Array.from({ length: 40 }, () => buffers.take(SIZE_BYTES));
  for (const buffer of burst) buffers.giveBack(buffer);
  expect(buffers.spareBytes).toBe(40 * BUFFER_SIZE_BYTES);

  for (let round = 0; round < 300; round++) {
    const pair = [buffers.take(SIZE_BYTES), buffers.take(SIZE_BYTES)];
    expect(pair[0]!.length).toBe(BUFFER_SIZE_BYTES);
    expect(pair[0] === pair[1]).toBe(false);
    for (const buffer of pair) buffers.giveBack(buffer);
  }
  expect(buffers.spareBytes).toBe(2 * BUFFER_SIZE_BYTES);
});
