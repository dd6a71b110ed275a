/**
 * Runs PromQL test scripts against an engine and a storage in memory, and says what is not as
 * expected. Beyond what a script asks, every instant query is checked in two more ways: with all
 * selectors pinned by `@` and evaluated at other times, and as one step of a range query.
 */
import { compareLabels, type FloatHistogram, Labels, messageOf } from '../../model/index.ts';
import type { Engine } from '../engine/engine.ts';
import type { MatrixSeries, QueryAnswer } from '../engine/result.ts';
import { parseExpr } from '../parser/parse.ts';
import { ALL_FEATURES } from '../parser/options.ts';
import { printExpr } from '../parser/print.ts';
import type { SequenceValue } from '../parser/series-notation.ts';
import { areHistogramsAlike, isNearlyEqual } from './compare.ts';
import { customBucketHistograms } from './custom-bucket-histograms.ts';
import { MemoryStorage } from './memory-storage.ts';
import { callsAny, pinSelectors, RANGE_FUNCTIONS, TIME_FUNCTIONS } from './pin-selectors.ts';
import {
  type EvalCommand,
  type ExpectedMessage,
  type ExpectedSeries,
  type Level,
  type LoadCommand,
  parseScript,
} from './script.ts';

/** One evaluation of a script: what is wrong with it, or null. */
export type Verdict = {
  readonly line: number;
  readonly query: string;
  readonly problem: string | null;
};

/** A problem found while checking; nothing but its message counts. */
class Mismatch extends Error {}

export class ScriptRunner {
  readonly #engine: Engine;
  readonly #storage = new MemoryStorage();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws ScriptError when the script itself is malformed */
  run(text: string): Verdict[] {
    const verdicts: Verdict[] = [];
    this.#storage.clear();
    for (const command of parseScript(text)) {
      if (command.kind === 'clear') this.#storage.clear();
      else if (command.kind === 'load') loadInto(this.#storage, command);
      else {
        const { line, query } = command;
        verdicts.push({ line, query, problem: this.#problemOf(command) });
      }
    }
    return verdicts;
  }

  #problemOf(command: EvalCommand): string | null {
    try {
      if (command.stepMs > 0) this.#checkRange(command);
      else this.#checkInstant(command);
      return null;
    } catch (error) {
      if (error instanceof Mismatch) return error.message;
      return `unexpected error: ${messageOf(error)}`;
    }
  }

  #checkRange(command: EvalCommand): void {
    const { query, startMs, endMs, stepMs } = command;
    const queryable = this.#storage;
    const answer = attempt(command, () =>
      this.#engine.range({ query, queryable, startMs, endMs, stepMs }),
    );
    if (answer === null) return;
    if (answer.result.kind !== 'matrix') throw new Mismatch(`got a ${answer.result.kind}`);
    const { series } = answer.result;
    for (let i = 1; i < series.length; i++) {
      if (compareLabels(series[i - 1]!.labels, series[i]!.labels) > 0) {
        throw new Mismatch('series are not sorted by labels');
      }
    }
    compareMatrix(command.series, series, startMs, stepMs);
  }

  #checkInstant(command: EvalCommand): void {
    const { query, startMs } = command;
    this.#checkInstantAt(command, query, startMs);
    const expr = parseExpr(query, ALL_FEATURES);
    if (!callsAny(expr, TIME_FUNCTIONS)) {
      const pinned = printExpr(pinSelectors(expr, startMs));
      const times =
        startMs === 0 ? [-1000, 0, 1000] : [-10 * startMs, 0, startMs / 5, startMs, 10 * startMs];
      for (const timeMs of times) {
        within(`pinned as ${pinned} at ${timeMs} ms`, () =>
          this.#checkInstantAt(command, pinned, Math.trunc(timeMs)),
        );
      }
    }
    const isRangeable =
      !command.ordered &&
      command.string === null &&
      command.rangeVector === null &&
      !callsAny(expr, RANGE_FUNCTIONS);
    if (isRangeable) within('as a range query', () => this.#checkAsRange(command));
  }

  #checkInstantAt(command: EvalCommand, query: string, timeMs: number): void {
    const queryable = this.#storage;
    const answer = attempt(command, () => this.#engine.instant({ query, queryable, timeMs }));
    if (answer === null) return;
    const { result } = answer;
    if (command.string !== null) {
      if (result.kind !== 'string' || result.value !== command.string) {
        throw new Mismatch(`expected the string ${JSON.stringify(command.string)}`);
      }
    } else if (command.scalar !== null) {
      if (result.kind !== 'scalar') throw new Mismatch(`expected a scalar, got a ${result.kind}`);
      if (!isNearlyEqual(command.scalar, result.value)) {
        throw new Mismatch(`expected ${command.scalar}, got ${result.value}`);
      }
    } else if (result.kind === 'matrix') {
      if (command.rangeVector === null) throw new Mismatch('got a range vector');
      const { startMs, stepMs } = command.rangeVector;
      compareMatrix(command.series, result.series, startMs, stepMs);
    } else if (result.kind === 'vector') {
      const series = result.entries.map(({ labels, value, histogram }) => ({
        labels,
        count: 1,
        timestampsMs: Float64Array.of(timeMs),
        values: Float64Array.of(value),
        histograms: histogram === null ? null : [histogram],
      }));
      compareMatrix(command.series, series, timeMs, 1, command.ordered);
    } else {
      throw new Mismatch(`got a ${result.kind}: ${result.value}`);
    }
  }

  /**
   * The step at the time of the evaluation must be what the instant query gave. Other steps may
   * have annotations of their own.
   */
  #checkAsRange(command: EvalCommand): void {
    const { query, startMs } = command;
    const values = { ...command, forbidden: [], messages: command.messages.filter(isFailure) };
    const answer = attempt(values, () =>
      this.#engine.range({
        query,
        queryable: this.#storage,
        startMs: startMs - 60_000,
        endMs: startMs + 60_000,
        stepMs: 60_000,
      }),
    );
    if (answer?.result.kind !== 'matrix') return;
    const middle = answer.result.series.flatMap((series) => {
      const at = series.timestampsMs.subarray(0, series.count).indexOf(startMs);
      if (at < 0) return [];
      return [
        {
          labels: series.labels,
          count: 1,
          timestampsMs: Float64Array.of(startMs),
          values: series.values.slice(at, at + 1),
          histograms: series.histograms?.slice(at, at + 1) ?? null,
        },
      ];
    });
    const expected: readonly ExpectedSeries[] =
      command.scalar === null
        ? command.series
        : [{ labels: Labels.EMPTY, values: [command.scalar], checksHints: false }];
    compareMatrix(expected, middle, startMs, 1);
  }
}

function loadInto(storage: MemoryStorage, command: LoadCommand): void {
  const { stepMs } = command;
  for (const { labels, values, startOffsetsMs } of command.series) {
    values.forEach((value, step) => {
      if (value === null) return;
      const timestampMs = step * stepMs;
      const offsetMs = startOffsetsMs[step] ?? null;
      const startMs = offsetMs === null ? 0 : timestampMs + offsetMs;
      storage.append(labels, timestampMs, value, startMs);
    });
  }
  if (!command.withCustomBuckets) return;
  const built = customBucketHistograms(command).sort((a, b) => a.timestampMs - b.timestampMs);
  for (const { labels, timestampMs, histogram } of built) {
    storage.append(labels, timestampMs, histogram);
  }
}

/** Adds to the message of a mismatch in which way it was found. */
function within(how: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Mismatch(`${how}: ${messageOf(error)}`, { cause: error });
  }
}

function isFailure({ level }: ExpectedMessage): boolean {
  return level === 'fail';
}

/** Evaluates, and checks failure and annotations; null when failure was expected. */
function attempt(command: EvalCommand, evaluate: () => QueryAnswer): QueryAnswer | null {
  const failures = command.messages.filter(isFailure);
  let answer: QueryAnswer;
  try {
    answer = evaluate();
  } catch (error) {
    if (failures.length === 0) throw error;
    checkMessages('fail', [messageOf(error)], command);
    return null;
  }
  if (failures.length > 0) throw new Mismatch('expected to fail');
  checkMessages('warn', answer.warnings, command);
  checkMessages('info', answer.infos, command);
  return answer;
}

/** Every expectation must have its message; and where there are any, every message one of them. */
function checkMessages(level: Level, actual: readonly string[], command: EvalCommand): void {
  if (level !== 'fail' && command.forbidden.includes(level) && actual.length > 0) {
    throw new Mismatch(`unexpected ${level}: ${actual.join('; ')}`);
  }
  const expected = command.messages.filter((message) => message.level === level);
  const fits = ({ text, pattern }: (typeof expected)[number], message: string): boolean =>
    text !== null ? text === message : pattern === null || pattern.test(message);
  for (const message of expected) {
    if (!actual.some((one) => fits(message, one))) {
      const wanted = message.text ?? message.pattern?.source ?? 'any';
      throw new Mismatch(`expected ${level} ${wanted}, got ${JSON.stringify(actual)}`);
    }
  }
  if (expected.length === 0) return;
  for (const one of actual) {
    if (!expected.some((message) => fits(message, one))) {
      throw new Mismatch(`${level} that was not expected: ${one}`);
    }
  }
}

function compareMatrix(
  expected: readonly ExpectedSeries[],
  actual: readonly MatrixSeries[],
  startMs: number,
  stepMs: number,
  ordered = false,
): void {
  const byKey = new Map(actual.map((series) => [series.labels.key, series]));
  if (byKey.size !== actual.length) throw new Mismatch('two series with the same labels');
  for (const [i, wanted] of expected.entries()) {
    const found = byKey.get(wanted.labels.key);
    if (found === undefined) {
      if (wanted.values.every((value) => value === null)) continue;
      throw new Mismatch(`no series ${wanted.labels.toString()} in [${namesOf(actual)}]`);
    }
    if (ordered && actual[i] !== found) {
      throw new Mismatch(`series ${wanted.labels.toString()} is not at place ${i + 1}`);
    }
    byKey.delete(wanted.labels.key);
    compareSeries(wanted, found, startMs, stepMs);
  }
  if (byKey.size > 0) throw new Mismatch(`unexpected series: ${namesOf([...byKey.values()])}`);
}

function namesOf(series: readonly MatrixSeries[]): string {
  return series.map(({ labels }) => labels.toString()).join(', ');
}

function compareSeries(
  wanted: ExpectedSeries,
  found: MatrixSeries,
  startMs: number,
  stepMs: number,
): void {
  const name = wanted.labels.toString();
  const atStep = new Map<number, number>();
  for (let i = 0; i < found.count; i++) atStep.set((found.timestampsMs[i]! - startMs) / stepMs, i);
  wanted.values.forEach((value, step) => {
    const at = atStep.get(step);
    atStep.delete(step);
    if (value === null || at === undefined) {
      if (value === null && at === undefined) return;
      throw new Mismatch(`${name} at step ${step}: ${at === undefined ? 'nothing' : 'a sample'}`);
    }
    const histogram = found.histograms?.[at] ?? null;
    const alike = isAlike(value, found.values[at]!, histogram, wanted.checksHints);
    if (alike) return;
    const got = histogram === null ? found.values[at] : JSON.stringify(histogram);
    throw new Mismatch(`${name} at step ${step}: expected ${JSON.stringify(value)}, got ${got}`);
  });
  if (atStep.size > 0) {
    throw new Mismatch(`${name}: unexpected samples at steps ${[...atStep.keys()].join(', ')}`);
  }
}

function isAlike(
  expected: SequenceValue,
  value: number,
  histogram: FloatHistogram | null,
  checksHint: boolean,
): boolean {
  if (typeof expected === 'number') return histogram === null && isNearlyEqual(expected, value);
  if (expected === null || expected === 'stale') return false;
  return histogram !== null && areHistogramsAlike(expected, histogram, checksHint);
}
