/**
 * The language of PromQL test scripts: `clear`, `load`, `eval` with what is expected.
 * Source: conformance description of promqltest scripts; Prometheus's script files.
 */
import { type Labels, parseDuration, parseFloatText } from '../../model/index.ts';
import {
  parseSeriesNotation,
  parseStartTimestamps,
  type SequenceValue,
} from '../parser/series-notation.ts';
import { scanString } from '../parser/strings.ts';

/** A script is malformed; says where. */
export class ScriptError extends Error {
  readonly line: number;

  constructor(what: string, line: number, options?: ErrorOptions) {
    super(`line ${line}: ${what}`, options);
    this.line = line;
  }
}

export type LoadedSeries = {
  readonly labels: Labels;
  readonly values: readonly SequenceValue[];
  /** Distance of each start timestamp from its sample; null where there is none. */
  readonly startOffsetsMs: readonly (number | null)[];
};

export type LoadCommand = {
  readonly kind: 'load';
  readonly line: number;
  readonly stepMs: number;
  /** Builds native histograms with custom buckets out of the classic ones as well. */
  readonly withCustomBuckets: boolean;
  readonly series: readonly LoadedSeries[];
};

export type Level = 'fail' | 'warn' | 'info';

/** A message that must come. Without text: any. */
export type ExpectedMessage = {
  readonly level: Level;
  readonly text: string | null;
  readonly pattern: RegExp | null;
};

export type ExpectedSeries = {
  readonly labels: Labels;
  readonly values: readonly SequenceValue[];
  /** Whether the line says which counter reset hint the histograms have. */
  readonly checksHints: boolean;
};

export type EvalCommand = {
  readonly kind: 'eval';
  readonly line: number;
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for instant queries. */
  readonly stepMs: number;
  readonly messages: readonly ExpectedMessage[];
  readonly forbidden: readonly ('warn' | 'info')[];
  readonly ordered: boolean;
  readonly string: string | null;
  readonly scalar: number | null;
  /** Times of the values of a range vector. */
  readonly rangeVector: { readonly startMs: number; readonly stepMs: number } | null;
  readonly series: readonly ExpectedSeries[];
};

export type Command = { readonly kind: 'clear'; readonly line: number } | LoadCommand | EvalCommand;

/** @throws ScriptError */
export function parseScript(text: string): Command[] {
  const lines = text.split('\n').map((line) => {
    const trimmed = line.trim();
    return trimmed.startsWith('#') ? '' : trimmed;
  });
  const commands: Command[] = [];
  for (let i = 0; i < lines.length; ) {
    const line = lines[i]!;
    if (line === '') {
      i++;
      continue;
    }
    const end = lines.indexOf('', i + 1);
    const word = /^\S+/.exec(line)![0].toLowerCase();
    if (word === 'clear') {
      commands.push({ kind: 'clear', line: i + 1 });
      i++;
      continue;
    }
    const body = lines.slice(i + 1, end < 0 ? lines.length : end);
    if (word.startsWith('load')) {
      commands.push(guarded(i + 1, () => parseLoad(line, body, i + 1)));
      i += 1 + body.length;
    } else if (word.startsWith('eval')) {
      const parsed = guarded(i + 1, () => parseEval(line, body, i + 1));
      commands.push(parsed.command);
      i += 1 + parsed.lineCount;
    } else {
      throw new ScriptError(`unknown command ${JSON.stringify(word)}`, i + 1);
    }
  }
  return commands;
}

function guarded<T>(line: number, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    throw new ScriptError(error instanceof Error ? error.message : String(error), line, {
      cause: error,
    });
  }
}

const LOAD = /^load(_with_nhcb)?\s+(\S+)$/i;

function parseLoad(head: string, body: readonly string[], line: number): LoadCommand {
  const match = LOAD.exec(head);
  if (match === null) throw new ScriptError('expected: load <step>', line);
  const byKey = new Map<string, LoadedSeries>();
  let pending: { labels: Labels; offsetsMs: readonly (number | null)[] } | null = null;
  body.forEach((text, i) => {
    guarded(line + 1 + i, () => {
      const starts = parseStartTimestamps(text);
      if (starts !== null) {
        pending = starts;
        return;
      }
      const { labels, values } = parseSeriesNotation(text);
      const startOffsetsMs = pending?.labels.equals(labels) ? pending.offsetsMs : [];
      if (pending !== null && startOffsetsMs.length !== values.length) {
        throw new ScriptError('@st line and values differ in length or series', line + 1 + i);
      }
      pending = null;
      byKey.set(labels.key, { labels, values, startOffsetsMs });
    });
  });
  return {
    kind: 'load',
    line,
    stepMs: parseDuration(match[2]!),
    withCustomBuckets: match[1] !== undefined,
    series: [...byKey.values()],
  };
}

const EVAL_INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+))?\s+(.+)$/i;
const EVAL_RANGE =
  /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+?)\s+(.+)$/i;
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):\s*(.*))?$/;
const EXPECT_STRING = /^expect\s+string\s+(.+)$/;
const EXPECT_RANGE_VECTOR = /^expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/;
const EXPECTED_FAIL = /^expected_fail_(message|regexp)\s+(.+)$/;

function parseEval(
  head: string,
  body: readonly string[],
  line: number,
): { command: EvalCommand; lineCount: number } {
  const instant = EVAL_INSTANT.exec(head);
  const range = EVAL_RANGE.exec(head);
  const times = range ? range.slice(2, 5).map(parseDuration) : [parseDuration(instant?.[2] ?? '0')];
  const query = (range?.[5] ?? instant?.[3])?.trim();
  if (query === undefined) throw new ScriptError('malformed eval', line);
  const flag = (range?.[1] ?? instant?.[1])?.toLowerCase();
  const messages: ExpectedMessage[] = [];
  if (flag === 'fail' || flag === 'warn' || flag === 'info') {
    messages.push({ level: flag, text: null, pattern: null });
  }
  const forbidden: ('warn' | 'info')[] = [];
  const series: ExpectedSeries[] = [];
  let ordered = flag === 'ordered';
  let string: string | null = null;
  let scalar: number | null = null;
  let rangeVector: EvalCommand['rangeVector'] = null;
  let lineCount = 0;
  for (const text of body) {
    lineCount++;
    const expectString = EXPECT_STRING.exec(text);
    const expectRange = EXPECT_RANGE_VECTOR.exec(text);
    const expect = EXPECT.exec(text);
    const expectedFail = EXPECTED_FAIL.exec(text);
    if (expectString) {
      string = scanString(expectString[1]!, 0).value;
    } else if (expectRange) {
      rangeVector = {
        startMs: parseDuration(expectRange[1]!),
        stepMs: parseDuration(expectRange[3]!),
      };
    } else if (expect) {
      const kind = expect[1]!;
      if (kind === 'ordered') ordered = true;
      else if (kind === 'no_warn' || kind === 'no_info') forbidden.push(kind.slice(3) as 'warn');
      else messages.push(expectedMessage(kind as Level, expect[2], expect[3]));
    } else if (expectedFail) {
      messages.length = 0;
      const form = expectedFail[1] === 'message' ? 'msg' : 'regex';
      messages.push(expectedMessage('fail', form, expectedFail[2]));
      break;
    } else if (text.startsWith('expect ')) {
      throw new ScriptError(`unknown expectation: ${text}`, line + lineCount);
    } else {
      const number = parseFloatText(text);
      if (number !== undefined) {
        scalar = number;
        break;
      }
      const { labels, values } = guarded(line + lineCount, () => parseSeriesNotation(text));
      series.push({ labels, values, checksHints: text.includes('counter_reset_hint') });
    }
  }
  const command: EvalCommand = {
    kind: 'eval',
    line,
    query,
    startMs: times[0]!,
    endMs: times[1] ?? times[0]!,
    stepMs: times[2] ?? 0,
    messages,
    forbidden,
    ordered,
    string,
    scalar,
    rangeVector,
    series,
  };
  return { command, lineCount };
}

function expectedMessage(level: Level, form?: string, text?: string): ExpectedMessage {
  if (form === undefined) return { level, text: null, pattern: null };
  const trimmed = text!.trim();
  return form === 'msg'
    ? { level, text: trimmed, pattern: null }
    : { level, text: null, pattern: new RegExp(trimmed) };
}
