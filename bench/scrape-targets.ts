/**
 * Targets for a server under test, in a thread of their own so that nothing else delays what they
 * note: when they were asked. Their answers are made beforehand, so they cost next to nothing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

type Shape = { readonly targetCount: number; readonly seriesCountPerTarget: number };

/** What a target serves in turn. */
const BODY_COUNT = 4;
const SERIES_PER_METRIC = 10;

export type Arrivals = {
  /** Since the last time it was asked, of all targets together. */
  readonly scrapeCount: number;
  /** Between two scrapes of one target. */
  readonly gapsMs: readonly number[];
};

/** Name of the metric with this number: `targets` serve the same ones. */
export function metricName(index: number): string {
  return `bench_metric_${index}${index % 3 === 0 ? '' : '_total'}`;
}

export class ScrapeTargets {
  readonly #worker: Worker;
  readonly #shape: Shape;
  readonly #port: number;

  private constructor(worker: Worker, shape: Shape, port: number) {
    this.#worker = worker;
    this.#shape = shape;
    this.#port = port;
  }

  static async start(shape: Shape): Promise<ScrapeTargets> {
    const worker = new Worker(new URL(import.meta.url), { workerData: shape });
    return new ScrapeTargets(worker, shape, await nextMessage<number>(worker));
  }

  /** Configuration of a server that scrapes them every second, as the job `bench`. */
  get config(): string {
    const targets = Array.from(
      { length: this.#shape.targetCount },
      (_, i) => `
      - targets: ['127.0.0.1:${this.#port}']
        labels: { __metrics_path__: '/${i}', instance: 'target-${i}' }`,
    );
    return `
scrape_configs:
  - job_name: bench
    scrape_interval: 1s
    scrape_timeout: 1s
    static_configs:${targets.join('')}
`;
  }

  /** Of the time since the last call. */
  arrivals(): Promise<Arrivals> {
    this.#worker.postMessage(null, []);
    return nextMessage(this.#worker);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

function nextMessage<T>(worker: Worker): Promise<T> {
  return new Promise((resolve) => worker.once('message', resolve));
}

function serve({ targetCount, seriesCountPerTarget }: Shape): void {
  const bodies = Array.from({ length: BODY_COUNT }, (_, turn) =>
    exposition(seriesCountPerTarget, turn),
  );
  const lastMs = new Float64Array(targetCount);
  let gapsMs: number[] = [];
  let scrapeCount = 0;
  const server = createServer((request, response) => {
    const nowMs = performance.now();
    const target = Number(request.url!.slice(1));
    if (lastMs[target] !== 0) gapsMs.push(nowMs - lastMs[target]!);
    lastMs[target] = nowMs;
    scrapeCount++;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(bodies[(target + scrapeCount) % BODY_COUNT]);
  });
  server.listen(0, '127.0.0.1', () =>
    parentPort!.postMessage((server.address() as AddressInfo).port, []),
  );
  parentPort!.on('message', () => {
    const arrivals: Arrivals = { scrapeCount, gapsMs };
    parentPort!.postMessage(arrivals, []);
    gapsMs = [];
    scrapeCount = 0;
  });
}

/** A third of the series stays as it is; the others rise from turn to turn, and fall back once. */
function exposition(seriesCount: number, turn: number): Buffer {
  let text = '';
  for (let i = 0; i < seriesCount; i++) {
    const metric = Math.floor(i / SERIES_PER_METRIC);
    const name = metricName(metric);
    if (i % SERIES_PER_METRIC === 0) {
      text += `# HELP ${name} A metric of the benchmark.\n`;
      text += `# TYPE ${name} ${metric % 3 === 0 ? 'gauge' : 'counter'}\n`;
    }
    const value = i % 3 === 0 ? i : 1000 * (i % 17) + turn * ((i % 13) + 0.5);
    text += `${name}{handler="/api/v1/resource-${i % 7}",method="GET",part="${i % 10}"} ${value}\n`;
  }
  return Buffer.from(text);
}

if (!isMainThread) serve(workerData as Shape);
