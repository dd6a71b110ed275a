import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { unchangedMappings } from '../../src/code-pages.ts';

const ROOT = path.join(import.meta.dirname, '../..');

const figures = (anonymousKb: number) =>
  `Size:               4280 kB\nRss:                 952 kB\nAnonymous:            ${anonymousKb} kB\nVmFlags: rd mr mw me sd\n`;

/** As `/proc/<pid>/smaps` shows a program, a library, and memory without a file. */
const SMAPS = [
  `00400000-0082e000 r--p 00000000 fe:00 5317106                            /usr/bin/node\n${figures(0)}`,
  `0082e000-03489000 r-xp 0042e000 fe:00 5317106                            /usr/bin/node\n${figures(0)}`,
  // What the loader has written to before it protected it.
  `072a7000-072dc000 r--p 06ea7000 fe:00 5317106                            /usr/bin/node\n${figures(212)}`,
  `072dc000-07308000 rw-p 06edc000 fe:00 5317106                            /usr/bin/node\n${figures(0)}`,
  `07308000-07367000 rw-p 00000000 00:00 0 \n${figures(128)}`,
  `7f0954000000-7f09546b4000 r-xp 00000000 fe:00 77                         /usr/lib/libc.so.6\n${figures(0)}`,
  `7ffd1a1f4000-7ffd1a1f6000 r-xp 00000000 00:00 0                          [vdso]\n${figures(0)}`,
].join('');

describe('unchangedMappings', () => {
  it('names what of the file is neither writable nor changed', () => {
    expect(unchangedMappings(SMAPS, '/usr/bin/node')).toEqual([
      { start: 0x400000n, end: 0x82e000n },
      { start: 0x82e000n, end: 0x3489000n },
    ]);
  });

  it('names nothing of other files, or whose names only begin alike', () => {
    expect(unchangedMappings(SMAPS, '/usr/bin/nod')).toEqual([]);
    expect(unchangedMappings(SMAPS, '/usr/bin/node2')).toEqual([]);
    expect(unchangedMappings('', '/usr/bin/node')).toEqual([]);
  });
});

/** Works before and after it gives pages back; prints megabytes of files in memory, then what it computed. */
const PROGRAM = `
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { codePageRelease } from './src/code-pages.ts';

const fileMb = () => Number(/RssFile:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
const work = () => JSON.stringify(Array.from({ length: 2000 }, (_, i) => Math.sqrt(i).toFixed(9))).length;
const worker = new Worker('setInterval(() => JSON.parse(JSON.stringify(process.memoryUsage())), 1)', { eval: true });
await new Promise((resolve) => worker.once('online', resolve));
const release = codePageRelease();
const before = { mb: fileMb(), work: work() };
let least = before.mb;
for (let i = 0; release !== null && i < 50; i++) {
  release();
  least = Math.min(least, fileMb());
  await new Promise((resolve) => setTimeout(resolve, 2));
}
console.log(JSON.stringify({ isPossible: release !== null, before, after: { mb: least, work: work() } }));
await worker.terminate();
`;

const ONLY_READING = [
  '--permission',
  '--allow-fs-read=*',
  '--allow-worker',
  '--disable-warning=SecurityWarning',
];

type Outcome = {
  readonly isPossible: boolean;
  readonly before: { readonly mb: number; readonly work: number };
  readonly after: { readonly mb: number; readonly work: number };
};

function run(...flags: string[]): Outcome {
  const args = [...flags, '--input-type=module-typescript', '--eval', PROGRAM];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Outcome;
}

describe.runIf(process.platform === 'linux')('codePageRelease', () => {
  it('takes megabytes from a program that works on, in all its threads, and says nothing', () => {
    const { isPossible, before, after } = run();
    expect(isPossible).toBe(true);
    expect(after.mb).toBeLessThan(before.mb - 10);
    expect(after.work).toBe(before.work);
  });

  it('is left out where foreign functions cannot be called', () => {
    expect(run('--no-experimental-ffi').isPossible).toBe(false);
  });

  it('is left out where they may not be called', () => {
    expect(run(...ONLY_READING).isPossible).toBe(false);
  });
});
