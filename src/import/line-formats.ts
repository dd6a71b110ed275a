/**
 * Lines of what can be imported:
 *
 *   openmetrics   series value time in s           text   series value time in ms
 *   jsonl         {"metric":{"__name__":"up"},"values":[1,…],"timestamps":[time in ms,…]}
 *                 {"metric":{…},"values":[[time in s,"1"],…]}   as in the answer of a range query
 *   csv           a header, then rows: `timestamp` (s, or RFC 3339), `value`; any other column is a
 *                 label, `__name__` or `metric` the name
 *
 * Sources: OpenMetrics 1.0, Prometheus exposition formats, Prometheus HTTP API (matrix),
 * VictoriaMetrics "JSON line format", RFC 4180.
 */
import {
  isValidLabelName,
  messageOf,
  METRIC_NAME,
  parseFloatText,
  parseRfc3339,
  SECOND_MS,
  ValueError,
} from '../../model/index.ts';
import { SampleLineReader } from '../../scrape/index.ts';
import type { ImportFormat } from '../../web/index.ts';

/** Takes the samples of a line. `labels` is `[name, value, …]`, names may be in any order. */
export type TakeSample = (labels: readonly string[], timestampMs: number, value: number) => void;

/** Reads one line; @throws ValueError or another error of ours that says what is wrong with it */
export type LineReader = (line: Uint8Array, take: TakeSample) => void;

export function lineReader(format: ImportFormat): LineReader {
  switch (format) {
    case 'openmetrics':
      return expositionReader(true);
    case 'text':
      return expositionReader(false);
    case 'jsonl':
      return readJsonLine;
    case 'csv':
      return csvReader();
  }
}

function expositionReader(openMetrics: boolean): LineReader {
  const reader = new SampleLineReader(openMetrics);
  let room = new Uint8Array(1024);
  return (line, take) => {
    if (line.length === 0) return;
    if (line.length + 8 > room.length) room = new Uint8Array(line.length * 2 + 8);
    room.set(line);
    const sample = reader.read(room, line.length);
    if (sample === null) return;
    if (Number.isNaN(sample.timestampMs)) throw new ValueError('the sample has no timestamp');
    take(sample.labels, sample.timestampMs, sample.value);
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

function textOf(line: Uint8Array): string {
  try {
    return utf8.decode(line);
  } catch (error) {
    throw new ValueError('not UTF-8', { cause: error });
  }
}

function readJsonLine(line: Uint8Array, take: TakeSample): void {
  const text = textOf(line);
  if (text.trim() === '') return;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ValueError(`not JSON: ${messageOf(error)}`, { cause: error });
  }
  const { metric, values, timestamps } = recordOf(parsed, 'the line');
  const labels = labelsOf(recordOf(metric, 'metric'));
  const list = listOf(values, 'values');
  // Everything is read before anything counts: a line is good or bad as a whole.
  const samples: [number, number][] = [];
  if (timestamps === undefined) {
    list.forEach((pair, i) => {
      const [seconds, value] = listOf(pair, `values[${i}]`);
      if (typeof seconds !== 'number') throw new ValueError(`values[${i}]: no time`);
      samples.push([Math.round(seconds * SECOND_MS), valueOf(value, `values[${i}][1]`)]);
    });
  } else {
    const times = listOf(timestamps, 'timestamps');
    if (times.length !== list.length) {
      throw new ValueError(`${list.length} values but ${times.length} timestamps`);
    }
    list.forEach((value, i) => {
      const timestampMs = times[i];
      if (!Number.isSafeInteger(timestampMs)) {
        throw new ValueError(`timestamps[${i}]: not whole milliseconds`);
      }
      samples.push([timestampMs as number, valueOf(value, `values[${i}]`)]);
    });
  }
  for (const [timestampMs, value] of samples) take(labels, timestampMs, value);
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValueError(`${what}: not an object`);
  }
  return value as Record<string, unknown>;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ValueError(`${what}: not a list`);
  return value;
}

function labelsOf(metric: Readonly<Record<string, unknown>>): readonly string[] {
  const labels: string[] = [];
  for (const [name, value] of Object.entries(metric)) {
    if (typeof value !== 'string') throw new ValueError(`metric.${name}: not a text`);
    labels.push(name, value);
  }
  return labels;
}

function valueOf(value: unknown, what: string): number {
  if (typeof value === 'number') return value;
  // How JSON is told of a value that is not a number.
  if (value === null) return NaN;
  const parsed = typeof value === 'string' ? parseFloatText(value) : undefined;
  if (parsed === undefined) throw new ValueError(`${what}: not a number`);
  return parsed;
}

function csvReader(): LineReader {
  let columns: readonly string[] | null = null;
  return (line, take) => {
    const text = textOf(line).replace(/\r$/, '');
    if (text === '') return;
    const cells = splitCsv(text);
    if (columns === null) {
      columns = checkedHeader(cells);
      return;
    }
    if (cells.length !== columns.length) {
      throw new ValueError(`${cells.length} columns, but the header has ${columns.length}`);
    }
    const labels: string[] = [];
    let timestampMs = NaN;
    let value = NaN;
    columns.forEach((name, i) => {
      const cell = cells[i]!;
      if (name === 'timestamp') timestampMs = timeOf(cell);
      else if (name === 'value') value = valueOf(cell, 'value');
      else labels.push(name, cell);
    });
    take(labels, timestampMs, value);
  };
}

/** A header that cannot be used makes every line bad. */
export class CsvHeaderError extends ValueError {}

function checkedHeader(cells: readonly string[]): readonly string[] {
  const columns = cells.map((cell) => (cell.trim() === 'metric' ? METRIC_NAME : cell.trim()));
  for (const needed of ['timestamp', 'value']) {
    if (!columns.includes(needed)) throw new CsvHeaderError(`the header has no column ${needed}`);
  }
  const doubled = columns.find((name, i) => columns.indexOf(name) !== i);
  if (doubled !== undefined) throw new CsvHeaderError(`the header has ${doubled} twice`);
  return columns;
}

function timeOf(cell: string): number {
  const seconds = parseFloatText(cell);
  const timestampMs = seconds === undefined ? parseRfc3339(cell) : Math.round(seconds * SECOND_MS);
  if (timestampMs === undefined || !Number.isSafeInteger(timestampMs)) {
    throw new ValueError(`timestamp: neither seconds nor RFC 3339: ${JSON.stringify(cell)}`);
  }
  return timestampMs;
}

/** Cells may be quoted, but not go over several lines. */
function splitCsv(text: string): string[] {
  const cells: string[] = [];
  const cell = /"((?:[^"]|"")*)"(?=,|$)|([^",]*)(?=,|$)/y;
  for (;;) {
    const match = cell.exec(text);
    if (match === null) throw new ValueError(`column ${cells.length + 1}: a quote is out of place`);
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (cell.lastIndex >= text.length) return cells;
    cell.lastIndex++;
  }
}

/** @throws ValueError when these can be no labels of a series */
export function checkLabels(labels: readonly string[]): void {
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    if (!isValidLabelName(name, 'utf8')) {
      throw new ValueError(`${JSON.stringify(name)} is not a label name`);
    }
  }
}
