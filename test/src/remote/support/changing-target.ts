/** A target whose values change with every scrape and that loses a series. */
import { createServer, type Server } from 'node:http';

export class ChangingTarget {
  scrapes = 0;
  readonly #server: Server;

  private constructor(extra: (scrape: number) => readonly string[]) {
    this.#server = createServer((_, response) => {
      const scrape = ++this.scrapes;
      const lines = [
        '# HELP requests_total Requests.',
        '# TYPE requests_total counter',
        `requests_total{path="/a ä"} ${scrape}`,
        `requests_total{path="/b"} ${scrape * 1e6 + 0.25}`,
        '# HELP level How full it is.',
        '# TYPE level gauge',
        `level{kind="nan"} NaN`,
        `level{kind="inf"} ${scrape % 2 === 0 ? '+Inf' : '-Inf'}`,
        ...(scrape < 6 ? [`level{kind="leaves"} ${-scrape}`] : []),
        ...extra(scrape),
      ];
      const type = 'text/plain; version=0.0.4';
      response.setHeader('content-type', type).end(`${lines.join('\n')}\n`);
    });
  }

  static async start(
    extra: (scrape: number) => readonly string[] = () => [],
  ): Promise<ChangingTarget> {
    const target = new ChangingTarget(extra);
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve));
    return target;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The sections of a configuration that scrape it, as job `target`. */
  get scrapeConfig(): string {
    return `
scrape_configs:
- {job_name: target, scrape_interval: 200ms, scrape_timeout: 200ms,
   static_configs: [{targets: ["127.0.0.1:${this.port}"]}]}
`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
