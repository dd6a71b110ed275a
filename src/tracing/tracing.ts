/**
 * Tracing of one thread: on, off, or on in another way, as the configuration says. While it is off
 * neither its code is loaded nor anything done for a request.
 */
import type { Clock, Logger, Tracer } from '../../model/index.ts';
import type { Exporter } from './exporter.ts';
import type { TracingConfig } from './tracing-config.ts';

export class Tracing {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #announces: boolean;
  #exporter: Exporter | null = null;
  #settings = 'null';

  /** @param announces  whether changes are told to the log: one thread of a server does */
  constructor(clock: Clock, logger: Logger, announces = false) {
    this.#clock = clock;
    this.#logger = logger;
    this.#announces = announces;
  }

  get tracer(): Tracer | null {
    return this.#exporter?.tracer ?? null;
  }

  async configure(config: TracingConfig | null): Promise<void> {
    const settings = JSON.stringify(config);
    if (settings === this.#settings) return;
    this.#settings = settings;
    const before = this.#exporter;
    if (config === null) this.#exporter = null;
    else {
      const { Exporter: Loaded } = await import('./exporter.ts');
      this.#exporter = new Loaded(config, this.#clock, this.#logger);
    }
    // A collector that does not answer must not hold up the configuration.
    void before?.stop();
    if (!this.#announces) return;
    const isOn = config !== null;
    this.#logger.info(
      `${isOn ? 'Successfully installed a new' : 'Uninstalled the'} tracer provider.`,
    );
  }

  /** Sends what waits, as far as that works in time. */
  async stop(): Promise<void> {
    const exporter = this.#exporter;
    this.#exporter = null;
    await exporter?.stop();
  }
}
