/** Targets without a network, for a scrape manager on a simulated clock. */
import { SimulatedClock } from '../../../model/index.ts';
import {
  DEFAULT_SCRAPE_CONFIG,
  type Fetcher,
  type HttpRequest,
  type HttpResponse,
  type ScrapeConfig,
  ScrapeManager,
  type ScrapeManagerOptions,
  type TargetGroup,
} from '../../../scrape/index.ts';
import { MemoryStorage } from './memory-storage.ts';

/** What a target does when it is asked: gives a body, or throws, or takes its time. */
export type Answer = (request: HttpRequest) => string | Error | Promise<string | Error>;

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export class FakeTargets {
  readonly clock: SimulatedClock;
  readonly storage = new MemoryStorage();
  readonly manager: ScrapeManager;
  /** Every request: when and where. */
  readonly requests: { readonly atMs: number; readonly request: HttpRequest }[] = [];
  answer: Answer = () => 'a 1\n';
  contentType = TEXT_TYPE;
  status = 200;

  constructor(options: Partial<ScrapeManagerOptions> = {}, startMs = 1_000_000_000) {
    this.clock = new SimulatedClock(startMs);
    this.manager = new ScrapeManager({
      appendable: this.storage,
      clock: this.clock,
      userAgent: 'test',
      createFetcher: () => this.#fetcher(),
      ...options,
    });
  }

  /** One job with these targets, scraped every 10 s unless told otherwise. */
  run(config: Partial<ScrapeConfig> = {}, addresses: readonly string[] = ['target:1']): void {
    this.manager.applyConfig([scrapeConfig(config)], 'seed');
    this.manager.setTargets(config.jobName ?? 'job', [groupOf(addresses)]);
  }

  #fetcher(): Fetcher {
    return {
      request: async (request): Promise<HttpResponse> => {
        this.requests.push({ atMs: this.clock.nowMs(), request });
        const answer = await this.answer(request);
        if (answer instanceof Error) throw answer;
        return {
          status: this.status,
          statusText: 'Status',
          headers: this.contentType === '' ? {} : { 'content-type': this.contentType },
          body: Buffer.from(answer),
        };
      },
      close: async () => {},
    };
  }
}

export function scrapeConfig(config: Partial<ScrapeConfig> = {}): ScrapeConfig {
  return {
    ...DEFAULT_SCRAPE_CONFIG,
    jobName: 'job',
    scrapeIntervalMs: 10_000,
    scrapeTimeoutMs: 5000,
    ...config,
  };
}

export function groupOf(addresses: readonly string[], labels = {}): TargetGroup {
  return {
    source: '0',
    targets: addresses.map((address) => ({ __address__: address })),
    labels,
  };
}
