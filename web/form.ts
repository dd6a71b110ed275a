/**
 * Parameters of a request, in the encoding of URL queries and form bodies.
 *
 * A pair with a malformed escape or a bare semicolon is dropped: clients of Prometheus have always met
 * it so (Go's servers do it). Routes that refuse it look at {@link Form.fault}.
 */
export class Form {
  static readonly EMPTY = new Form([], null);
  /** `[name, value, name, value, …]` in the order of the text. */
  readonly #pairs: readonly string[];
  /** What was wrong with the first pair that was dropped; some routes do refuse it. */
  readonly fault: string | null;

  private constructor(pairs: readonly string[], fault: string | null) {
    this.#pairs = pairs;
    this.fault = fault;
  }

  static parse(text: string): Form {
    return text === '' ? Form.EMPTY : new Form(...parsePairs(text));
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
    if (this === Form.EMPTY) return other;
    if (other === Form.EMPTY) return this;
    return new Form([...this.#pairs, ...other.#pairs], this.fault ?? other.fault);
  }
}

function parsePairs(text: string): [pairs: string[], fault: string | null] {
  const pairs: string[] = [];
  let fault: string | null = null;
  for (const part of text.split('&')) {
    if (part === '') continue;
    if (part.includes(';')) {
      fault ??= 'invalid semicolon separator in query';
      continue;
    }
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decode(part.slice(equals + 1));
    if (name !== null && value !== null) pairs.push(name, value);
    else fault ??= `invalid URL escape ${JSON.stringify(MALFORMED.exec(part)![0])}`;
  }
  return [pairs, fault];
}

/** With the characters that should have been digits. */
const MALFORMED = /%(?![0-9a-fA-F]{2}).{0,2}/s;

/** Null when an escape is malformed. Bytes that are no UTF-8 become replacement characters. */
function decode(text: string): string | null {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return MALFORMED.test(spaced) ? null : decodeBytes(spaced);
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
