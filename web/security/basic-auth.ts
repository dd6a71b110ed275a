/**
 * Who may use the server, when `basic_auth_users` says so. Verdicts are remembered, because a hash is
 * made to be slow; only one password is checked at a time, so that guessing cannot take the thread.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { matchesBcrypt } from './bcrypt.ts';

const VERDICT_COUNT_MAX = 100;
/** Checked in place of the hash of an unknown user, so that names cannot be found out by timing. */
const NOBODYS_HASH = '$2b$10$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';

export class BasicAuth {
  /** Keyed by a digest of user, password and hash: a changed configuration asks anew. */
  readonly #verdicts = new Map<string, Promise<boolean>>();
  readonly #secret = randomBytes(32);
  #queue: Promise<unknown> = Promise.resolve();

  /** `header` is the value of `Authorization`; `users` are names and bcrypt hashes. */
  allows(
    header: string | undefined,
    users: Readonly<Record<string, string>>,
  ): Promise<boolean> | boolean {
    const credentials = parseHeader(header);
    if (credentials === null) return false;
    const { user, password } = credentials;
    const hash = Object.hasOwn(users, user) ? users[user]! : null;
    const key = createHmac('sha256', this.#secret)
      .update(`${user.length}:${user}${password.length}:${password}${hash}`)
      .digest('base64');
    return this.#verdicts.get(key) ?? this.#check(key, password, hash);
  }

  #check(key: string, password: string, hash: string | null): Promise<boolean> {
    const verdict = this.#queue.then(async () => {
      const matches = await matchesBcrypt(password, hash ?? NOBODYS_HASH);
      return matches && hash !== null;
    });
    this.#queue = verdict.catch(() => {});
    if (this.#verdicts.size >= VERDICT_COUNT_MAX) {
      // The oldest goes first.
      this.#verdicts.delete(this.#verdicts.keys().next().value!);
    }
    this.#verdicts.set(key, verdict);
    return verdict;
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
