/**
 * Platforms that answer nonsense: in every answer of every fake some values are replaced by others,
 * left out, or cut off. Discovery then finds targets with labels of text, or fails and says so; it
 * never throws past its own loop, and finds the right targets once the answers are right again.
 */
import { afterEach, expect, test } from 'vitest';
import type { Fake, FakeAnswer } from './fakes/fake.ts';
import { FAKES, readRecorded, runHere } from './platform-runs.ts';

const recorded = readRecorded();
const SPOILED_ANSWER_COUNT = 12;
const SPOILED_MS_MAX = 1500;
const POLL = { timeout: 8000, interval: 20 };

/** Seeds differ from run to run; a failure names its own. */
const SEED = Number(process.env['NARTHEX_SEED'] ?? Math.floor(Math.random() * 1e9));

const thrown: unknown[] = [];
const note = (error: unknown) => thrown.push(error);
process.on('uncaughtException', note);
process.on('unhandledRejection', note);
let closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers) close();
  closers = [];
});

function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

const ODD_VALUES: readonly unknown[] = [
  [null, true, 0, -1, 1e308, '', 'x', '\u0000', '1.2.3.4', '::1', 'a'.repeat(2000)],
  [[], {}, [null], [[]], [1, 'a'], { a: null }, { key: 1, value: [] }, { '': '' }],
].flat();

/** A copy in which each value may have become another one. */
function spoiledValue(value: unknown, random: () => number, rate: number): unknown {
  if (random() < rate) return ODD_VALUES[Math.floor(random() * ODD_VALUES.length)];
  if (Array.isArray(value)) return value.map((one) => spoiledValue(one, random, rate));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => random() >= rate / 2)
    .map(([key, one]) => [key, spoiledValue(one, random, rate)]);
  return Object.fromEntries(entries) as unknown;
}

function spoiledText(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const kinds = [
    () => text.slice(0, at),
    () => text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 20)),
    () => `${text.slice(0, at)}<${text.slice(at)}`,
    () => text.replaceAll(/>[^<]+</g, (inner) => (random() < 0.1 ? '><' : inner)),
    () => '',
  ];
  return kinds[Math.floor(random() * kinds.length)]!();
}

function spoiled(answer: FakeAnswer, random: () => number): FakeAnswer {
  const { json, text, stream } = answer;
  if (stream !== undefined) {
    return { ...answer, stream: stream.map((event) => spoiledValue(event, random, 0.1)) };
  }
  if (json !== undefined) {
    if (random() < 0.1) {
      const headers = { 'Content-Type': 'application/json', ...answer.headers };
      return { status: 200, headers, text: spoiledText(JSON.stringify(json), random) };
    }
    return { ...answer, json: spoiledValue(json, random, 0.02 + random() * 0.1) };
  }
  return text === undefined ? answer : { ...answer, text: spoiledText(text, random) };
}

/** The same platform, whose answers are spoiled while `state.isSpoiling`. */
function spoiling(fake: Fake, random: () => number, state: { isSpoiling: boolean }): Fake {
  return {
    ...fake,
    answer: (request, self) => {
      const answer = fake.answer(request, self);
      return answer === null || !state.isSpoiling ? answer : spoiled(answer, random);
    },
  };
}

const batches = Array.from({ length: 6 }, (_, batch) =>
  FAKES.filter((_fake, index) => index % 6 === batch),
);
test.each(batches.map((batch, index) => [index, batch] as const))(
  `nonsense from platforms, part %i (NARTHEX_SEED=${SEED})`,
  { timeout: 30_000 },
  async (part, batch) => {
    const state = { isSpoiling: true };
    const started = await Promise.all(
      batch.map(async (fake, index) => {
        const random = randomNumbers(SEED + part * 100 + index);
        const run = await runHere(spoiling(fake, random, state));
        closers.push(run.close);
        return { fake, run };
      }),
    );
    const endMs = performance.now() + SPOILED_MS_MAX;
    const isEnough = () =>
      started.every(({ run }) => run.server.requests.length >= SPOILED_ANSWER_COUNT);
    while (!isEnough() && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const { fake, run } of started) {
        const values = run.found().flatMap((labels) => Object.entries(labels));
        const odd = values.filter(([, value]) => typeof value !== 'string');
        expect(odd, fake.name).toEqual([]);
      }
    }
    state.isSpoiling = false;
    for (const { fake, run } of started) {
      const { documented = [] } = fake;
      const known = () =>
        run
          .found()
          .map((labels) =>
            Object.fromEntries(
              Object.entries(labels).filter(([name]) => !documented.includes(name)),
            ),
          );
      const expected = fake.expected ?? recorded[fake.recordedAs ?? fake.name]!;
      // Consul answers again when something has changed there.
      if (fake.isWatched !== true && fake.mechanism !== 'consul')
        await expect.poll(known, { ...POLL, message: fake.name }).toEqual(expected);
    }
    expect(thrown).toEqual([]);
  },
);
