import { readFileSync } from 'node:fs';
import { type Clock, messageOf, ValueError } from '../../model/index.ts';

/** A file that was read is believed for so long, so that a thousand targets do not read it each. */
const TRUST_MS = 1000;

/** Reads small files at use (passwords, keys, certificates), so that a changed one takes effect. */
export class SecretFiles {
  readonly #clock: Clock;
  readonly #contents = new Map<string, { readonly text: string; readonly readAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The file's text without white space around it.
   * @throws ValueError that names the file and what it was wanted for
   */
  read(file: string, purpose: string): string {
    return this.readExact(file, purpose).trim();
  }

  readExact(file: string, purpose: string): string {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#contents.get(file);
    if (known !== undefined && nowMs - known.readAtMs < TRUST_MS) return known.text;
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new ValueError(`unable to read ${purpose} ${file}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#contents.set(file, { text, readAtMs: nowMs });
    return text;
  }
}
