/** Asks the servers of the `remote_read` sections for what a query selects. */
import {
  type Clock,
  type Gauge,
  messageOf,
  NO_TRACER,
  type Registry,
  type TracerSource,
  ValueError,
} from '../../../model/index.ts';
import { dialerMetrics, HttpClient, type HttpResponse } from '../../../scrape/index.ts';
import type { ReadMatcher } from '../read-message.ts';
import { compressed } from '../write/request-sender.ts';
import type { RemoteReadConfig } from './read-config.ts';
import { encodeQuestion, type ReadQuestion } from './read-question.ts';

export type RemoteReadOptions = {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly registry: Registry;
  readonly tracer?: TracerSource;
};

/** What one server said. */
export type RemoteAnswer = {
  /** Empty when there was none: then the warning says why. */
  readonly body: Uint8Array;
  /** Frames with chunks, or one compressed message with samples. */
  readonly isStreamed: boolean;
  /** Labels that only say where the series are from. */
  readonly labelsToDrop: readonly string[];
  readonly warning: string;
};

/** @param ownSinceMs  from here on the own storage has everything */
export type RemoteSelection = ReadQuestion & { readonly ownSinceMs: number };

type Client = {
  readonly config: RemoteReadConfig;
  readonly settings: string;
  readonly http: HttpClient;
  readonly running: Gauge;
};

const ANSWER_SIZE_BYTES_MAX = 256 * 1024 * 1024;
const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120];
const LABELS = ['remote_name', 'url'];

export class RemoteReadClients {
  readonly #options: RemoteReadOptions;
  #clients: readonly Client[] = [];
  #externalLabels: Readonly<Record<string, string>> = {};
  readonly #metrics;

  constructor(options: RemoteReadOptions) {
    this.#options = options;
    const { registry } = options;
    this.#metrics = {
      running: registry.gauges(
        'prometheus_remote_read_client_queries',
        'Remote reads under way.',
        LABELS,
      ),
      total: registry.counters(
        'prometheus_remote_read_client_queries_total',
        'Remote reads done.',
        [...LABELS, 'response_type', 'code'],
      ),
      seconds: registry.histograms(
        'prometheus_remote_read_client_request_duration_seconds',
        'Duration of remote reads.',
        [...LABELS, 'response_type'],
        DURATION_BOUNDS,
      ),
    };
  }

  get count(): number {
    return this.#clients.length;
  }

  configure(
    configs: readonly RemoteReadConfig[],
    externalLabels: Readonly<Record<string, string>>,
  ): void {
    this.#externalLabels = externalLabels;
    const before = new Map(this.#clients.map((client) => [client.settings, client]));
    this.#clients = configs.map((config) => {
      const settings = JSON.stringify(config);
      const known = before.get(settings);
      before.delete(settings);
      return known ?? this.#create(config, settings);
    });
    for (const { config, http } of before.values()) {
      this.#metrics.running.remove(config.name, config.url);
      void http.close();
    }
  }

  /** Never rejects: what goes wrong is a warning, and the query goes on with what there is. */
  read(selection: RemoteSelection, signal: AbortSignal): Promise<RemoteAnswer[]> {
    const wanted = this.#clients.flatMap((client) => {
      const question = this.#questionFor(client.config, selection);
      return question === null ? [] : [this.#ask(client, question, signal)];
    });
    return Promise.all(wanted);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map(({ http }) => http.close()));
    this.#clients = [];
  }

  #create(config: RemoteReadConfig, settings: string): Client {
    const { clock, registry, userAgent } = this.#options;
    const { observe } = dialerMetrics(registry, 'remote_storage_read_client');
    const running = this.#metrics.running.labels(config.name, config.url);
    return {
      config,
      settings,
      http: new HttpClient(config.httpClient, { clock, userAgent, observe }),
      running,
    };
  }

  /** Null: this server is not to be asked. */
  #questionFor(
    { requiredMatchers, readsRecent, filtersExternalLabels }: RemoteReadConfig,
    selection: RemoteSelection,
  ): (ReadQuestion & { readonly labelsToDrop: readonly string[] }) | null {
    const { matchers, minMs, ownSinceMs } = selection;
    let { maxMs } = selection;
    if (!readsRecent) {
      if (minMs >= ownSinceMs) return null;
      maxMs = Math.min(maxMs, ownSinceMs);
    }
    for (const [name, value] of Object.entries(requiredMatchers)) {
      const has = (m: ReadMatcher) => m.name === name && m.operator === '=' && m.value === value;
      if (!matchers.some(has)) return null;
    }
    if (!filtersExternalLabels) return { ...selection, maxMs, labelsToDrop: [] };
    const added = Object.entries(this.#externalLabels)
      .filter(([name]) => !matchers.some((matcher) => matcher.name === name))
      .map(([name, value]) => ({ name, operator: '=' as const, value }));
    return {
      ...selection,
      maxMs,
      matchers: [...matchers, ...added],
      labelsToDrop: added.map(({ name }) => name),
    };
  }

  async #ask(
    { config, http, running }: Client,
    { labelsToDrop, ...question }: ReadQuestion & { readonly labelsToDrop: readonly string[] },
    signal: AbortSignal,
  ): Promise<RemoteAnswer> {
    const { name, url } = config;
    const startMs = this.#options.clock.monotonicMs();
    running.add(1);
    const { tracer = NO_TRACER } = this.#options;
    const span = tracer()?.start('Remote Read', 'client');
    let code = '0';
    let type = '';
    try {
      const response = await http.request({
        url,
        method: 'POST',
        headers: {
          ...config.headers,
          'Accept-Encoding': 'snappy',
          'Content-Encoding': 'snappy',
          'Content-Type': 'application/x-protobuf',
          'X-Prometheus-Remote-Read-Version': '0.1.0',
        },
        body: compressed(encodeQuestion(question)),
        timeoutMs: config.timeoutMs,
        bodySizeLimitBytes: ANSWER_SIZE_BYTES_MAX,
        signal,
        ...(span === undefined ? {} : { span }),
      });
      code = String(response.status);
      const isStreamed = judge(response, url);
      type = isStreamed ? 'chunked' : 'sampled';
      // A copy that can be handed over: what came is a window on memory that others use too.
      const body = new Uint8Array(response.body);
      response.release?.();
      return { body, isStreamed, labelsToDrop, warning: '' };
    } catch (error) {
      const warning =
        error instanceof ValueError
          ? `remote_read: ${error.message}`
          : `remote_read: error sending request: ${messageOf(error)}`;
      return { body: new Uint8Array(0), isStreamed: false, labelsToDrop, warning };
    } finally {
      running.add(-1);
      span?.end();
      const seconds = (this.#options.clock.monotonicMs() - startMs) / 1000;
      this.#metrics.total.labels(name, url, type, code).increase();
      this.#metrics.seconds.labels(name, url, type).observe(seconds);
    }
  }
}

/** Whether the answer is streamed. @throws ValueError when it is none */
function judge({ status, statusText, headers, body }: HttpResponse, url: string): boolean {
  if (status < 200 || status > 299) {
    const text = new TextDecoder().decode(body).trim();
    throw new ValueError(
      `remote server ${url} returned http status ${status} ${statusText}: ${text}`,
    );
  }
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/x-streamed-protobuf')) return true;
  if (type.startsWith('application/x-protobuf')) return false;
  throw new ValueError(`unsupported content type: ${type}`);
}
