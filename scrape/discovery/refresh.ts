/** Looking again and again at fixed intervals, which is what most mechanisms do. */
import { CanceledError, messageOf } from '../../model/index.ts';
import type { TargetGroup } from '../config.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';

export class RefreshingProvider implements DiscoveryProvider {
  readonly #mechanism: string;
  readonly #intervalMs: number;
  readonly #context: ProviderContext;
  readonly #look: (signal: AbortSignal) => Promise<readonly TargetGroup[]>;
  readonly #close: () => void;
  readonly #stop = new AbortController();

  /**
   * @param look   finds the complete list; may throw
   * @param close  gives back what `look` holds on to
   */
  constructor(
    mechanism: string,
    intervalMs: number,
    context: ProviderContext,
    look: (signal: AbortSignal) => Promise<readonly TargetGroup[]>,
    close: () => void = () => {},
  ) {
    this.#mechanism = mechanism;
    this.#intervalMs = intervalMs;
    this.#context = context;
    this.#look = look;
    this.#close = close;
  }

  start(update: (groups: readonly TargetGroup[]) => void): void {
    void this.#run(update);
  }

  stop(): void {
    this.#stop.abort();
    this.#close();
  }

  async #run(update: (groups: readonly TargetGroup[]) => void): Promise<void> {
    const { signal } = this.#stop;
    const { clock } = this.#context;
    while (!signal.aborted) {
      const groups = await this.#refresh(signal);
      if (signal.aborted) return;
      if (groups !== null) update(groups);
      try {
        await clock.sleep(this.#intervalMs, signal);
      } catch (error) {
        if (error instanceof CanceledError) return;
        throw error;
      }
    }
  }

  async #refresh(signal: AbortSignal): Promise<readonly TargetGroup[] | null> {
    const { clock, metrics, logger, jobName } = this.#context;
    const startMs = clock.monotonicMs();
    try {
      return await this.#look(signal);
    } catch (error) {
      if (signal.aborted) return null;
      metrics.refreshFailed(this.#mechanism, jobName);
      logger.error('Unable to refresh target groups', {
        discovery: this.#mechanism,
        config: jobName,
        err: messageOf(error),
      });
      return null;
    } finally {
      metrics.refreshed(this.#mechanism, jobName, (clock.monotonicMs() - startMs) / 1000);
    }
  }
}
