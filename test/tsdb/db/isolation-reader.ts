/**
 * The reading thread of isolation.test.ts. Every commit of the writer adds sample number n, with
 * value n, to every series; so a query that sees a commit wholly or not at all finds the numbers
 * 0…k without a gap, the same k in every series, and never a smaller k than before.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Matcher, SampleBuffer } from '../../../model/index.ts';
import { openReader, type SharedDb } from '../../../tsdb/index.ts';

const { shared, stop, seriesCount } = workerData as {
  shared: SharedDb;
  stop: Int32Array;
  seriesCount: number;
};

const reader = openReader(shared);
const out = new SampleBuffer();
const everything = [new Matcher('__name__', '=', 'steady')];
let queryCount = 0;
let newest = -2;
let wrong = '';

function look(holdsMs: number): void {
  const querier = reader.querier(-Infinity, Infinity);
  try {
    const until = performance.now() + holdsMs;
    while (performance.now() < until);
    const rows = querier.select(everything, { minMs: -Infinity, maxMs: Infinity });
    let count = -1;
    rows.labels.forEach((labels, row) => {
      rows.read(row, -Infinity, Infinity, out);
      for (let i = 0; i < out.count; i++) {
        if (out.values[i] === i) continue;
        wrong ||= `${labels.toString()}: value ${out.values[i]} at place ${i} of ${out.count}`;
        break;
      }
      if (count === -1) count = out.count;
      else if (count !== out.count)
        wrong ||= `${labels.toString()} has ${out.count} samples, others ${count}`;
    });
    if (count > 0 && rows.labels.length !== seriesCount) wrong ||= `${rows.labels.length} series`;
    if (count - 1 < newest) wrong ||= `went back from ${newest} to ${count - 1}`;
    newest = Math.max(newest, count - 1);
    queryCount++;
  } finally {
    querier.close();
  }
}

parentPort!.postMessage('ready', []);
while (Atomics.load(stop, 0) === 0 && wrong === '') {
  // Some queries stay open while the writer goes on.
  look(queryCount % 3 === 0 ? 15 : 0);
  // Machines have few cores, and the writer needs one.
  Atomics.wait(stop, 0, 0, 2);
}
reader.close();
parentPort!.postMessage({ queryCount, newest, wrong }, []);
