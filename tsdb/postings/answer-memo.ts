/**
 * Answers that a source which never changes gave to matchers. Dashboards ask the same questions all
 * day, and while code is still cold looking an answer up is all the cheaper.
 */
import type { Matcher } from '../../model/index.ts';
import type { Postings } from './label-index.ts';

/** Bounds: references, and texts, in one generation. */
const REF_COUNT_MAX = 64 * 1024;
const TEXT_COUNT_MAX = 4096;

export class AnswerMemo {
  readonly postings = new Generations<Postings>(REF_COUNT_MAX);
  readonly texts = new Generations<readonly string[]>(TEXT_COUNT_MAX);
}

/** What matchers ask for, as a key. */
export function matchersKey(matchers: readonly Matcher[]): string {
  let key = '';
  for (const { name, operator, value } of matchers) {
    // With lengths, so that no text can be taken for the end of another one.
    key += `${name.length}:${name}${operator}${value.length}:${value}`;
  }
  return key;
}

/** The least recently used go first, a generation at a time. */
class Generations<V extends { readonly length: number }> {
  readonly #sizeMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #youngSize = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    // An answer without members takes room as well.
    const size = value.length + 1;
    if (size > this.#sizeMax / 4) return;
    if (this.#youngSize + size > this.#sizeMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSize = 0;
    }
    this.#young.set(key, value);
    this.#youngSize += size;
  }
}
