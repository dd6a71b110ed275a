/**
 * Parameters of a request, in the encoding of URL queries and form bodies.
 *
 * A pair with a malformed escape or a bare semicolon is dropped, not refused: clients of Prometheus
 * have always met it so (Go's servers do it).
 */
export class Form {
  static readonly EMPTY = new Form([]);
  /** `[name, value, name, value, …]` in the order of the text. */
  readonly #pairs: readonly string[];

  private constructor(pairs: readonly string[]) {
    this.#pairs = pairs;
  }

  static parse(text: string): Form {
    return text === '' ? Form.EMPTY : new Form(parsePairs(text));
  }

  /** Values of a parameter, in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.#pairs.length; i += 2) {
      if (this.#pairs[i] === name) values.push(this.#pairs[i + 1]!);
    }
    return values;
  }

  /** The first value; empty when the parameter is absent, as an empty one counts as absent. */
  first(name: string): string {
    for (let i = 0; i < this.#pairs.length; i += 2) {
      if (this.#pairs[i] === name) return this.#pairs[i + 1]!;
    }
    return '';
  }

  /** Each once, in the order in which they came. */
  names(): string[] {
    return [...new Set(this.#pairs.filter((_, i) => i % 2 === 0))];
  }

  /** These parameters and then those of `other`: the first one wins where one is asked for. */
  with(other: Form): Form {
    if (this.#pairs.length === 0) return other;
    if (other.#pairs.length === 0) return this;
    return new Form([...this.#pairs, ...other.#pairs]);
  }
}

function parsePairs(text: string): string[] {
  const pairs: string[] = [];
  for (const part of text.split('&')) {
    if (part === '' || part.includes(';')) continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decode(part.slice(equals + 1));
    if (name !== null && value !== null) pairs.push(name, value);
  }
  return pairs;
}

/** Null when an escape is malformed. Bytes that are no UTF-8 become replacement characters. */
function decode(text: string): string | null {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return /%(?![0-9a-fA-F]{2})/.test(spaced) ? null : decodeBytes(spaced);
  }
}

function decodeBytes(text: string): string {
  const latin = text.replace(/%([0-9a-fA-F]{2})|[^\x00-\x7f]/g, (found, hex?: string) =>
    hex === undefined
      ? Buffer.from(found, 'utf8').toString('latin1')
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin, 'latin1').toString('utf8');
}
