/** Has passwords checked in a thread that exists only while there is something to check. */
import { Worker } from 'node:worker_threads';
import type { PasswordMethods } from './password-worker.ts';
import { RpcClient } from './rpc.ts';
import { threadEntry } from './thread-entry.ts';

/** Its code costs some 10 MB of memory. */
const IDLE_UNTIL_END_MS = 10_000;

export class PasswordChecker {
  #thread: { readonly worker: Worker; readonly client: RpcClient<PasswordMethods> } | null = null;
  #pendingCount = 0;
  #ending: NodeJS.Timeout | undefined;

  /** @param hash  a bcrypt hash */
  async matches(password: string, hash: string): Promise<boolean> {
    clearTimeout(this.#ending);
    const thread = (this.#thread ??= this.#spawn());
    this.#pendingCount++;
    try {
      return await thread.client.call('matches', { password, hash });
    } finally {
      this.#pendingCount--;
      if (this.#pendingCount === 0) {
        clearTimeout(this.#ending);
        this.#ending = setTimeout(() => this.close(), IDLE_UNTIL_END_MS).unref();
      }
    }
  }

  close(): void {
    clearTimeout(this.#ending);
    void this.#thread?.worker.terminate();
    this.#thread = null;
  }

  #spawn() {
    const worker = new Worker(threadEntry('password-worker'), { name: 'passwords' });
    worker.unref();
    const client = new RpcClient<PasswordMethods>(worker);
    worker.on('error', (error) => {
      this.#thread = null;
      client.fail(error instanceof Error ? error : new Error(String(error)));
    });
    worker.on('exit', () => client.fail(new Error('the thread that checks passwords ended')));
    return { worker, client };
  }
}
