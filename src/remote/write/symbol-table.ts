/** Texts of labels and metadata, each once, as UTF-8 with its length in front: ready for messages. */
import { ByteWriter } from '../../../model/index.ts';

/** Number of the empty text. */
export const NO_SYMBOL = 0;

export class SymbolTable {
  readonly #ids = new Map<string, number>();
  readonly #out = new ByteWriter(64 * 1024);
  #starts = new Uint32Array(1024);
  #count = 0;

  constructor() {
    this.intern('');
  }

  get count(): number {
    return this.#count;
  }

  /** Symbol i is `bytes[starts[i], starts[i + 1])`: its length as uvarint, then the text. */
  get bytes(): Uint8Array {
    return this.#out.bytes;
  }
  get starts(): Uint32Array {
    return this.#starts;
  }

  intern(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#count++;
    this.#ids.set(text, id);
    this.#out.putUvarintText(text);
    if (this.#count === this.#starts.length) {
      const grown = new Uint32Array(this.#starts.length * 2);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#starts[this.#count] = this.#out.length;
    return id;
  }

  /** The texts by number; made anew at every call. */
  texts(): string[] {
    return [...this.#ids.keys()];
  }
}
