/**
 * Tells the database how far its log has been sent, so that it keeps what receivers that are away
 * have not got yet. (An agent's log is shortened by `agent.ts`.)
 */
import type { IngestClient } from './threads/ingest-client.ts';
import type { RemoteWriteClient } from './threads/remote-write-client.ts';

/** The log is shortened every two hours; what is told late is kept for longer, not shorter. */
const UPDATE_INTERVAL_MS = 15_000;

export class LogHold {
  readonly #ingest: IngestClient;
  readonly #remoteWrite: RemoteWriteClient;
  #isTelling = false;

  constructor(ingest: IngestClient, remoteWrite: RemoteWriteClient) {
    this.#ingest = ingest;
    this.#remoteWrite = remoteWrite;
  }

  /** Tells it now, and from now on. Ends with the process. */
  async update(): Promise<void> {
    const { segment } = await this.#remoteWrite.passedOn();
    await this.#ingest.call('holdLog', segment);
    if (this.#isTelling) return;
    this.#isTelling = true;
    setInterval(() => {
      // A thread that failed is told of elsewhere; what was held before still is.
      if (this.#remoteWrite.threadCount > 0) void this.update().catch(() => {});
    }, UPDATE_INTERVAL_MS).unref();
  }
}
