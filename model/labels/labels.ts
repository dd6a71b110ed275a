/**
 * A label set: what tells one series from another. Immutable, sorted by name, names unique, no
 * empty values (an empty value means that the label is absent).
 *
 * Held as one flat array `[name0, value0, name1, value1, …]`, which is what hot code walks.
 * Order is by UTF-8 bytes, like Prometheus's; see {@link compareText}.
 */
export const METRIC_NAME = '__name__';

export class Labels {
  static readonly EMPTY = new Labels([]);

  /** `[name, value, name, value, …]`, sorted by name. Not to be changed. */
  readonly flat: readonly string[];
  #key: string | undefined;

  private constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** Takes `flat` as it is: the caller vouches for order, uniqueness and the absence of empties. */
  static fromSorted(flat: readonly string[]): Labels {
    return flat.length === 0 ? Labels.EMPTY : new Labels(flat);
  }

  /** Sorts; drops empty values; of two equal names the later wins. */
  static fromPairs(pairs: Iterable<readonly [name: string, value: string]>): Labels {
    const byName = new Map<string, string>();
    for (const [name, value] of pairs) byName.set(name, value);
    return fromMap(byName);
  }

  static fromObject(object: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(object));
  }

  /** How many labels. */
  get size(): number {
    return this.flat.length / 2;
  }

  /** The value of a label, or the empty string where it is absent. */
  get(name: string): string {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === name) return flat[i + 1]!;
    }
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.flat.length; i += 2) yield [this.flat[i]!, this.flat[i + 1]!];
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this);
  }

  /**
   * A text that is equal exactly when the label sets are; made once. For maps, not for people.
   * The separator is a lone surrogate, which no decoded UTF-8 text contains.
   */
  get key(): string {
    return (this.#key ??= this.flat.join('\ud800'));
  }

  equals(other: Labels): boolean {
    const a = this.flat;
    const b = other.flat;
    if (a === b) return true;
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  }

  /** Only these names. */
  keep(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => names.has(name));
  }

  /** All but these names. */
  drop(names: ReadonlySet<string>): Labels {
    return this.#filter((name) => !names.has(name));
  }

  /** Without the metric name. */
  withoutName(): Labels {
    return this.#filter((name) => name !== METRIC_NAME);
  }

  /** With one label set, replaced, or (by an empty value) removed. */
  with(name: string, value: string): Labels {
    const { flat } = this;
    const out: string[] = [];
    let placed = value === '';
    for (let i = 0; i < flat.length; i += 2) {
      const order = placed ? -1 : compareText(flat[i]!, name);
      if (!placed && order >= 0) {
        out.push(name, value);
        placed = true;
      }
      if (flat[i] !== name) out.push(flat[i]!, flat[i + 1]!);
    }
    if (!placed) out.push(name, value);
    return Labels.fromSorted(out);
  }

  #filter(keeps: (name: string) => boolean): Labels {
    const { flat } = this;
    let out: string[] | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (keeps(flat[i]!)) {
        out?.push(flat[i]!, flat[i + 1]!);
      } else {
        out ??= flat.slice(0, i);
      }
    }
    return out === undefined ? this : Labels.fromSorted(out);
  }

  /** As Prometheus prints it: `{__name__="up", job="api"}`. */
  toString(): string {
    const parts: string[] = [];
    for (const [name, value] of this) parts.push(`${quoteName(name)}=${quoteText(value)}`);
    return `{${parts.join(', ')}}`;
  }
}

/** Collects changes to a label set and builds it once. Used where labels are rewritten. */
export class LabelsBuilder {
  #base: Labels;
  readonly #changes = new Map<string, string>();

  constructor(base: Labels = Labels.EMPTY) {
    this.#base = base;
  }

  reset(base: Labels): void {
    this.#base = base;
    this.#changes.clear();
  }

  get(name: string): string {
    return this.#changes.get(name) ?? this.#base.get(name);
  }

  /** An empty value removes the label. */
  set(name: string, value: string): this {
    this.#changes.set(name, value);
    return this;
  }

  delete(name: string): this {
    return this.set(name, '');
  }

  /** The present names, in no particular order. */
  names(): string[] {
    const names: string[] = [];
    for (const [name] of this.#base) if (!this.#changes.has(name)) names.push(name);
    for (const [name, value] of this.#changes) if (value !== '') names.push(name);
    return names;
  }

  build(): Labels {
    if (this.#changes.size === 0) return this.#base;
    const merged = new Map<string, string>(this.#base);
    for (const [name, value] of this.#changes) merged.set(name, value);
    return fromMap(merged);
  }
}

/** Label by label, name before value; a set that is a prefix of another comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const x = a.flat;
  const y = b.flat;
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) {
    if (x[i] !== y[i]) return compareText(x[i]!, y[i]!);
  }
  return x.length - y.length;
}

/**
 * Order of two texts by their UTF-8 bytes. JavaScript's `<` goes by UTF-16 units, which differs only
 * between characters outside the basic plane and U+E000…U+FFFF.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    if (xSurrogate !== ySurrogate) {
      // A surrogate stands for a code point above all of the basic plane.
      return xSurrogate ? 1 : -1;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** Double quotes with the escapes that Prometheus (Go's %q) uses. */
export function quoteText(text: string): string {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) out += escapeChar(char);
  return `${out}"`;
}

function escapeChar(char: string): string {
  const named = ESCAPES.get(char);
  if (named !== undefined) return named;
  const code = char.codePointAt(0)!;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x7f || PRINTABLE.test(char)) return char;
  // A lone surrogate of this range stands for a byte that was not UTF-8.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code > 0xffff) return `\\U${code.toString(16).padStart(8, '0')}`;
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;
const ESCAPES = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

function quoteName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quoteText(name);
}

function fromMap(byName: ReadonlyMap<string, string>): Labels {
  const names: string[] = [];
  for (const [name, value] of byName) if (value !== '') names.push(name);
  names.sort(compareText);
  const flat: string[] = [];
  for (const name of names) flat.push(name, byName.get(name)!);
  return Labels.fromSorted(flat);
}
