/**
 * Set algebra over postings of a million series, in CPU time: lists as labels have them (every tenth
 * series in a fixed rhythm, runs of neighbours) and lists without any order.
 *
 *   node bench/postings.bench.ts
 */
import { intersect } from '../tsdb/postings/intersect.ts';
import type { Postings } from '../tsdb/postings/label-index.ts';
import { meeting } from '../tsdb/postings/meeting.ts';
import { merge } from '../tsdb/postings/merge.ts';
import { without } from '../tsdb/postings/without.ts';
import { cpuMs } from './tsdb-data.ts';

const SERIES_COUNT = 1_000_000;
const ROUND_COUNT = 40;

let state = 1;
/** Every series with probability `share`. */
function irregular(share: number): Postings {
  const refs: number[] = [];
  for (let ref = 1; ref <= SERIES_COUNT; ref++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    if (state < share * 2 ** 32) refs.push(ref);
  }
  return Uint32Array.from(refs);
}
const everyTenth = Uint32Array.from({ length: SERIES_COUNT / 10 }, (_, i) => i * 10 + 3);
const runs = Uint32Array.from(
  { length: SERIES_COUNT / 10 },
  (_, i) => Math.floor(i / 100) * 1000 + (i % 100),
);
const all = irregular(1);
const [half, tenth, other, few] = [irregular(0.5), irregular(0.1), irregular(0.1), irregular(1e-3)];
const thousandLists = Array.from({ length: 1000 }, (_, k) =>
  Uint32Array.from({ length: SERIES_COUNT / 1000 }, (__, i) => i * 1000 + k),
);

function measure(what: string, work: () => unknown): void {
  for (let i = 0; i < ROUND_COUNT / 4; i++) work();
  const usage = process.cpuUsage();
  for (let i = 0; i < ROUND_COUNT; i++) work();
  console.log(`${what.padEnd(52)}${(cpuMs(usage) / ROUND_COUNT).toFixed(3).padStart(8)} ms`);
}

measure('100k and 100k, without order', () => intersect(tenth, other));
measure('100k and 500k, without order', () => intersect(tenth, half));
measure('100k every tenth and 100k in runs', () => intersect(everyTenth, runs));
measure('100k and all', () => intersect(tenth, all));
measure('1k and 100k', () => intersect(few, tenth));
measure('all but 100k', () => without(all, tenth));
measure('all but 1k', () => without(all, few));
measure('any of 1000 lists of 1k', () => merge(thousandLists));
const meets = meeting(tenth);
measure('which of 1000 lists of 1k have one of 100k', () => thousandLists.filter(meets));
