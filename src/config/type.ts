/**
 * The frame in which the configuration's shape is written down: a type reads a YAML node into a
 * value and prints the value back. Reading goes on after a mistake, so that one look at the message
 * shows all of them, each with its line, column, path and what was expected.
 */
import { type ConfigError, messageOf, quoteText, ValueError } from '../../model/index.ts';
import { nearestName } from '../nearest-name.ts';
import { type ConfigDocument, type ConfigNode, isNull, type MapNode } from './document.ts';
import { type JsonSchema, orNull } from './json-schema.ts';
import { compareKeys, type Yaml } from './print-yaml.ts';

export type Type<T> = {
  /** Ends the sentence "expected …". */
  readonly expected: string;
  /** @throws ReadFailure after the mistake has been recorded at `place` */
  read(place: Place): T;
  print(value: T): Yaml;
  /** For editors. */
  schema(): JsonSchema;
  /** An empty value means something else than an absent key. */
  readonly readsNull?: boolean;
};
export type Infer<S> = S extends Type<infer T> ? T : never;

/** Recorded already; thrown to leave the value that cannot be read. Never leaves this folder. */
export class ReadFailure extends Error {}

export type Problem = { readonly offset: number; readonly text: string };

/** A value's place in a file, and where mistakes about it are recorded. */
export class Place {
  readonly document: ConfigDocument;
  readonly node: ConfigNode;
  /** `scrape_configs[0].job_name`; empty for the whole file. */
  readonly path: string;
  readonly problems: Problem[];

  constructor(document: ConfigDocument, node: ConfigNode, path: string, problems: Problem[]) {
    this.document = document;
    this.node = node;
    this.path = path;
    this.problems = problems;
  }

  key(name: string, node: ConfigNode): Place {
    return new Place(this.document, node, entryPath(this.path, name), this.problems);
  }

  item(index: number, node: ConfigNode): Place {
    return new Place(this.document, node, `${this.path}[${index}]`, this.problems);
  }

  /** Records a mistake about this value, or about its entry `key` if it has one. */
  complain(what: string, key?: string): void {
    let { path } = this;
    let { offset } = this.node;
    if (key !== undefined && this.node.kind === 'map') {
      const entry = this.node.entries.find((candidate) => candidate.key === key);
      if (entry !== undefined) {
        offset = entry.offset;
        path = entryPath(path, key);
      }
    }
    this.problems.push({ offset, text: path === '' ? what : `${path}: ${what}` });
  }

  fail(what: string, key?: string): never {
    this.complain(what, key);
    throw new ReadFailure(what);
  }

  failExpecting(expected: string): never {
    return this.fail(`${describeNode(this.node)}, expected ${expected}`);
  }

  /** The place of an entry or item below this one; the nearest there is where it is missing. */
  at(...steps: readonly (string | number)[]): Place {
    const [step, ...rest] = steps;
    const { node } = this;
    if (typeof step === 'number') {
      const item = node.kind === 'list' ? node.items[step] : undefined;
      return item === undefined ? this : this.item(step, item).at(...rest);
    }
    const entry = node.kind === 'map' ? node.entries.find(({ key }) => key === step) : undefined;
    return entry === undefined ? this : this.key(entry.key, entry.value).at(...rest);
  }
}

/** What no message can show as it is: control characters, line separators and the like. */
const UNREADABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

function entryPath(path: string, key: string): string {
  const name = UNREADABLE.test(key) ? quoteText(key) : key;
  return path === '' ? name : `${path}.${name}`;
}

function describeNode(node: ConfigNode): string {
  if (node.kind === 'list') return 'is a list';
  if (node.kind === 'map') return 'is a mapping';
  if (isNull(node)) return 'is empty';
  return `is ${JSON.stringify(node.text)}`;
}

/** Reads the whole file. @throws ConfigError with every mistake, placed at the first */
export function readDocument<T>(type: Type<T>, document: ConfigDocument, empty: () => T): T {
  if (document.root === null || isNull(document.root)) return empty();
  const problems: Problem[] = [];
  const place = new Place(document, document.root, '', problems);
  let value: T | undefined;
  try {
    value = type.read(place);
  } catch (error) {
    if (!(error instanceof ReadFailure)) throw error;
  }
  if (problems.length > 0) throw errorOf(problems, document);
  return value as T;
}

const SHOWN_PROBLEM_COUNT = 20;

/** One error for all problems. */
export function errorOf(problems: readonly Problem[], document: ConfigDocument): ConfigError {
  const sorted = [...problems].sort((a, b) => a.offset - b.offset);
  const [first, ...rest] = sorted.slice(0, SHOWN_PROBLEM_COUNT);
  const lines = rest.map(({ offset, text }) => document.error(text, offset).message);
  const hidden = sorted.length - SHOWN_PROBLEM_COUNT;
  if (hidden > 0) lines.push(`and ${hidden} more`);
  return document.error([first!.text, ...lines].join('\n  '), first!.offset);
}

/** Runs `check`; the ValueError it throws becomes a mistake at `place`. */
export function checkAt<T>(place: Place, check: () => T, key?: string): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ValueError) return place.fail(messageOf(error), key);
    throw error;
  }
}

// ---- lists and maps

export function list<T>(item: Type<T>): Type<readonly T[]> {
  return {
    expected: `a list, each item ${item.expected}`,
    readsNull: true,
    read(place) {
      const { node } = place;
      if (isNull(node)) return [];
      if (node.kind !== 'list') return place.failExpecting(this.expected);
      return collect(node.items, (child, index) => item.read(place.item(index, child)));
    },
    print: (items) => items.map((value) => item.print(value)),
    schema: () => ({ type: orNull('array'), items: item.schema() }),
  };
}

/** A list whose items may not be null; `what` names such an item in the message. */
export function listOf<T>(item: Type<T>, what: string): Type<readonly T[]> {
  return list({
    ...item,
    read(place) {
      if (isNull(place.node)) place.fail(`empty or null ${what}`);
      return item.read(place);
    },
  });
}

/** Free keys. `readKey` may refuse one. */
export function mapOf<T>(
  value: Type<T>,
  checkKey: (key: string) => void = () => {},
): Type<Readonly<Record<string, T>>> {
  return {
    expected: `a mapping, each value ${value.expected}`,
    readsNull: true,
    read(place) {
      const { node } = place;
      if (isNull(node)) return {};
      if (node.kind !== 'map') return place.failExpecting(this.expected);
      const pairs = collect(node.entries, (entry): [string, T] => {
        checkAt(place, () => checkKey(entry.key), entry.key);
        return [entry.key, value.read(place.key(entry.key, entry.value))];
      });
      return Object.fromEntries(pairs);
    },
    print(record) {
      const keys = Object.keys(record).sort(compareKeys);
      return new Map(keys.map((key) => [key, value.print(record[key]!)]));
    },
    schema: () => ({ type: orNull('object'), additionalProperties: value.schema() }),
  };
}

/** Reads all of `items`, even after a failure, and fails at the end if one failed. */
function collect<I, T>(items: readonly I[], read: (item: I, index: number) => T): T[] {
  const values: T[] = [];
  let failure: ReadFailure | undefined;
  items.forEach((item, index) => {
    try {
      values.push(read(item, index));
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      failure = error;
    }
  });
  if (failure !== undefined) throw failure;
  return values;
}

// ---- objects

export type Field<T> = {
  readonly type: Type<T>;
  readonly initial: T;
  /** Is a key with this value printed? */
  showing(value: T): boolean;
};
export type Fields = Readonly<Record<string, Field<unknown>>>;
type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Left out of the print when empty: "", 0, false, [], {} and what consists of nothing else. */
export function field<T>(type: Type<T>, initial: T): Field<T> {
  return { type, initial, showing: (value) => !isEmpty(value) };
}

/** Always printed. */
export function shown<T>(type: Type<T>, initial: T): Field<T> {
  return { type, initial, showing: () => true };
}

/** May be absent; printed when it is there, however empty. */
export function optional<T>(type: Type<T>): Field<T | null> {
  return {
    type: {
      expected: type.expected,
      readsNull: true,
      read: (place) => (isNull(place.node) ? null : type.read(place)),
      print: (value) => (value === null ? null : type.print(value)),
      schema: () => type.schema(),
    },
    initial: null,
    showing: (value) => value !== null,
  };
}

export type ObjectType<F extends Fields> = Type<Values<F>> & {
  readonly fields: F;
  /** The value of an object in which nothing is set. */
  initial(): Values<F>;
};

/**
 * An object with known keys, printed in this order.
 * `check` sees the values when all of them could be read; it may replace them.
 */
export function object<F extends Fields>(
  fields: F,
  check: (value: Values<F>, place: Place) => Values<F> | void = () => {},
): ObjectType<F> {
  const initial = () =>
    Object.fromEntries(
      Object.entries(fields).map(([key, { initial: value }]) => [key, value]),
    ) as Values<F>;
  return {
    fields,
    initial,
    expected: 'a mapping',
    read(place) {
      const { node } = place;
      if (isNull(node)) return initial();
      if (node.kind !== 'map') return place.failExpecting(this.expected);
      const value = readFields(fields, node, place, initial());
      return check(value, place) ?? value;
    },
    print: (value) => printFields(fields, value),
    schema: () => ({
      type: orNull('object'),
      properties: Object.fromEntries(
        Object.entries(fields).map(([key, known]) => [key, schemaOf(known)]),
      ),
      additionalProperties: false,
    }),
  };
}

function readFields<F extends Fields>(
  fields: F,
  node: MapNode,
  place: Place,
  initial: Values<F>,
): Values<F> {
  const values: Record<string, unknown> = { ...initial };
  collect(node.entries, ({ key, value }) => {
    const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (known === undefined) {
      const nearest = nearestName(key, Object.keys(fields));
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      return place.fail(`unknown key${hint}`, key);
    }
    // A key without value counts as absent.
    if (isNull(value) && known.type.readsNull !== true) return;
    values[key] = known.type.read(place.key(key, value));
  });
  return values as Values<F>;
}

function printFields<F extends Fields>(fields: F, value: Values<F>): Yaml {
  const printed = new Map<string, Yaml>();
  for (const [key, known] of Object.entries(fields)) {
    const member: unknown = value[key];
    if (known.showing(member)) printed.set(key, known.type.print(member));
  }
  return printed;
}

/** What the key takes, and what it means when it is absent, as far as that is a scalar. */
function schemaOf<T>({ type, initial }: Field<T>): JsonSchema {
  const printed = isEmpty(initial) ? null : type.print(initial);
  const isScalar = ['string', 'number', 'boolean'].includes(typeof printed);
  return {
    ...type.schema(),
    ...(isScalar ? { default: printed as string | number | boolean } : {}),
  };
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}
