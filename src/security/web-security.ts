/**
 * The web configuration in force. Looked at again with every request, so that new users and renewed
 * certificates count at once; a file that cannot be used leaves the last good one in force.
 */
import { statSync } from 'node:fs';
import { type Logger, messageOf } from '../../model/index.ts';
import type { SecurityPort, WebSecurity } from '../../web/index.ts';
import { PasswordChecker } from '../threads/password-checker.ts';
import { readWebFile, type WebFile } from './web-file.ts';

export class WebSecurityFile implements SecurityPort {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #passwords = new PasswordChecker();
  #inForce: WebFile;
  #stamp: string;

  /** @throws ConfigError */
  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
    this.#inForce = readWebFile(file);
    this.#stamp = this.#readStamp();
  }

  current(): WebSecurity {
    const stamp = this.#readStamp();
    if (stamp !== this.#stamp) this.#reload(stamp);
    return this.#inForce.security;
  }

  matchesHash(password: string, hash: string): Promise<boolean> {
    return this.#passwords.matches(password, hash);
  }

  #reload(stamp: string): void {
    // Also when it fails: the same broken file is not reported with every request.
    this.#stamp = stamp;
    try {
      this.#inForce = readWebFile(this.#file);
      this.#stamp = this.#readStamp();
      this.#logger.info('Web configuration read again', { component: 'web', file: this.#file });
    } catch (error) {
      const what = 'Unable to use the changed web configuration; the one before stays in force';
      this.#logger.error(what, { component: 'web', file: this.#file, err: messageOf(error) });
    }
  }

  /** Differs when one of the files does. */
  #readStamp(): string {
    return this.#inForce.files
      .map((file) => {
        const stats = statSync(file, { throwIfNoEntry: false });
        return stats === undefined ? '-' : `${stats.mtimeMs}:${stats.size}:${stats.ino}`;
      })
      .join(' ');
  }
}
