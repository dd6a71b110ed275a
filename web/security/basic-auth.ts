/**
 * Who may use the server, when `basic_auth_users` says so. Verdicts are remembered, because a hash is
 * made to be slow; only one password is checked at a time, and who guesses wrongly again and again
 * has to wait, so that guessing neither succeeds nor takes the machine.
 */
import { createHmac, randomBytes } from 'node:crypto';

const VERDICT_COUNT_MAX = 100;
/** Checked in place of the hash of an unknown user, so that names cannot be found out by timing. */
const NOBODYS_HASH = '$2b$10$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
/** So many wrong passwords may come from one address within {@link WINDOW_MS}. */
const WRONG_COUNT_MAX = 20;
const WINDOW_MS = 60_000;
const ADDRESS_COUNT_MAX = 10_000;

export type MatchesHash = (password: string, hash: string) => Promise<boolean>;

export type Verdict = 'allowed' | 'refused' | 'too-many-guesses';

type Guesses = { count: number; readonly sinceMs: number };

export class BasicAuth {
  /** Keyed by a digest of user, password and hash: a changed configuration asks anew. */
  readonly #verdicts = new Map<string, Promise<boolean>>();
  readonly #secret = randomBytes(32);
  readonly #matchesHash: MatchesHash;
  readonly #monotonicMs: () => number;
  /** Wrong passwords per address, the oldest window first. */
  readonly #guesses = new Map<string, Guesses>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(matchesHash: MatchesHash, monotonicMs: () => number) {
    this.#matchesHash = matchesHash;
    this.#monotonicMs = monotonicMs;
  }

  /**
   * @param header   value of `Authorization`
   * @param users    names and bcrypt hashes
   * @param address  of the client; after too many wrong passwords from there, new ones are not checked
   */
  async judge(
    header: string | undefined,
    users: Readonly<Record<string, string>>,
    address: string,
  ): Promise<Verdict> {
    const credentials = parseHeader(header);
    if (credentials === null) return 'refused';
    const { user, password } = credentials;
    const hash = Object.hasOwn(users, user) ? users[user]! : null;
    const key = createHmac('sha256', this.#secret)
      .update(`${user.length}:${user}${password.length}:${password}${hash}`)
      .digest('base64');
    const known = this.#verdicts.get(key);
    if (known !== undefined) return (await known) ? 'allowed' : 'refused';
    if (this.#guessCount(address) >= WRONG_COUNT_MAX) return 'too-many-guesses';
    // Counted before it is known to be wrong: guesses may come at the same time.
    const guesses = this.#noteGuess(address);
    const isAllowed = await this.#check(key, password, hash);
    if (isAllowed) guesses.count--;
    return isAllowed ? 'allowed' : 'refused';
  }

  #check(key: string, password: string, hash: string | null): Promise<boolean> {
    const verdict = this.#queue.then(async () => {
      const matches = await this.#matchesHash(password, hash ?? NOBODYS_HASH);
      return matches && hash !== null;
    });
    this.#queue = verdict.catch(() => this.#verdicts.delete(key));
    if (this.#verdicts.size >= VERDICT_COUNT_MAX) {
      // The oldest goes first.
      this.#verdicts.delete(this.#verdicts.keys().next().value!);
    }
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  #guessCount(address: string): number {
    const nowMs = this.#monotonicMs();
    for (const [other, { sinceMs }] of this.#guesses) {
      if (nowMs - sinceMs < WINDOW_MS && this.#guesses.size <= ADDRESS_COUNT_MAX) break;
      this.#guesses.delete(other);
    }
    return this.#guesses.get(address)?.count ?? 0;
  }

  #noteGuess(address: string): Guesses {
    const guesses = this.#guesses.get(address) ?? { count: 0, sinceMs: this.#monotonicMs() };
    guesses.count++;
    this.#guesses.set(address, guesses);
    return guesses;
  }
}

function parseHeader(header: string | undefined): { user: string; password: string } | null {
  const match = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header ?? '');
  if (match === null) return null;
  const text = Buffer.from(match[1]!, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
