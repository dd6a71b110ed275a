/**
 * Profiles in the form that `go tool pprof` and `promtool debug` read: gzip of a protobuf message,
 *
 *   Profile   1 sample_type ValueType  2 sample  4 location  5 function  6 string_table
 *             9 time_nanos  10 duration_nanos  11 period_type ValueType  12 period
 *   ValueType 1 type  2 unit            (places in the table of texts, whose first one is empty)
 *   Sample    1 location_id, the leaf first  2 value
 *   Location  1 id  4 line { 1 function_id  2 line }
 *   Function  1 id  2 name  4 filename
 *
 * Source: github.com/google/pprof, documentation of profile.proto.
 */
import { gzipSync } from 'node:zlib';
import { ProtobufWriter } from '../../model/index.ts';
import type { CpuProfile, HeapNode } from './inspect.ts';

export type Frame = { readonly name: string; readonly file: string; readonly line: number };
export type StackSample = {
  /** The leaf first. */
  readonly stack: readonly Frame[];
  readonly values: readonly number[];
};
export type Profile = {
  /** One per value: what is counted, and in which unit. */
  readonly types: readonly (readonly [type: string, unit: string])[];
  readonly samples: readonly StackSample[];
  readonly timeMs: number;
  readonly durationMs: number;
};

export function encodeProfile({ types, samples, timeMs, durationMs }: Profile): Buffer {
  const texts = new Map<string, number>([['', 0]]);
  const textOf = (text: string) => numberOf(texts, text);
  const functions = new Map<string, number>();
  const locations = new Map<string, number>();
  const out = new ProtobufWriter();
  const putType = (field: number, [type, unit]: readonly [string, string]) => {
    out.message(field, () => {
      out.uint64(1, textOf(type));
      out.uint64(2, textOf(unit));
    });
  };
  for (const type of types) putType(1, type);
  const locationOf = ({ name, file, line }: Frame): number => {
    const key = `${name}\n${file}\n${line}`;
    const known = locations.get(key);
    if (known !== undefined) return known;
    const functionKey = `${name}\n${file}`;
    let functionId = functions.get(functionKey);
    if (functionId === undefined) {
      functionId = functions.size + 1;
      functions.set(functionKey, functionId);
      out.message(5, () => {
        out.uint64(1, functions.size);
        out.uint64(2, textOf(name));
        out.uint64(4, textOf(file));
      });
    }
    const id = locations.size + 1;
    locations.set(key, id);
    out.message(4, () => {
      out.uint64(1, id);
      out.message(4, () => {
        out.uint64(1, functionId);
        out.uint64(2, line);
      });
    });
    return id;
  };
  for (const { stack, values } of samples) {
    const ids = stack.map(locationOf);
    out.message(2, () => {
      for (const id of ids) out.uint64(1, id);
      for (const value of values) out.uint64(2, value);
    });
  }
  const [period] = types;
  if (period !== undefined) putType(11, period);
  for (const text of texts.keys()) out.text(6, text);
  // Nanoseconds since 1970 are more than a double counts to.
  out.int64(9, BigInt(Math.round(timeMs * 1e6)));
  out.int64(10, BigInt(Math.round(durationMs * 1e6)));
  return gzipSync(out.view());
}

/** @param thread  becomes the root of every stack */
export function cpuSamples(profile: CpuProfile, thread: string): StackSample[] {
  const parents = new Map<number, number>();
  for (const { id, children = [] } of profile.nodes)
    for (const child of children) parents.set(child, id);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const microseconds = new Map<number, { count: number; sum: number }>();
  profile.samples.forEach((id, i) => {
    const total = microseconds.get(id) ?? { count: 0, sum: 0 };
    total.count++;
    // How long it stayed there is told by the next one.
    total.sum += Math.max(0, profile.timeDeltas[i + 1] ?? 0);
    microseconds.set(id, total);
  });
  const samples: StackSample[] = [];
  for (const [leaf, { count, sum }] of microseconds) {
    const stack: Frame[] = [];
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const { functionName, url, lineNumber } = nodes.get(id)!.callFrame;
      if (functionName === '(idle)') break;
      if (functionName !== '(root)') stack.push(frameOf(functionName, url, lineNumber));
    }
    if (stack.length === 0) continue;
    stack.push({ name: `thread ${thread}`, file: '', line: 0 });
    samples.push({ stack, values: [count, Math.round(sum * 1000)] });
  }
  return samples;
}

export function heapSamples(root: HeapNode, thread: string): StackSample[] {
  const samples: StackSample[] = [];
  const visit = ({ callFrame, selfSize, children }: HeapNode, callers: readonly Frame[]): void => {
    const { functionName, url, lineNumber } = callFrame;
    const stack =
      functionName === '(root)' ? callers : [frameOf(functionName, url, lineNumber), ...callers];
    if (selfSize > 0) samples.push({ stack, values: [selfSize] });
    for (const child of children) visit(child, stack);
  };
  visit(root, [{ name: `thread ${thread}`, file: '', line: 0 }]);
  return samples;
}

function frameOf(name: string, url: string, lineNumber: number): Frame {
  return { name: name === '' ? '(anonymous)' : name, file: url, line: Math.max(0, lineNumber + 1) };
}

function numberOf(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, numbers.size);
  return numbers.size - 1;
}
