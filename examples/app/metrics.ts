/**
 * What the sample shop counts and measures. The names are those of the tutorials that the samples
 * come from: an API (`app_*`, `http_request_duration_seconds`) and a Brazilian web shop
 * (`flask_http_request_*`, `ecommerce_*`).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from 'prom-client';
import type { SystemFigure } from './system-figures.ts';

/** Exemplars exist only in OpenMetrics; a registry speaks one language at a time. */
const TEXT = Registry.PROMETHEUS_CONTENT_TYPE;
const OPEN_METRICS = Registry.OPENMETRICS_CONTENT_TYPE;

const REQUEST_BUCKETS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const CHECKOUT_BUCKETS_SECONDS = [0.1, 0.25, 0.5, 0.75, 1, 2, 5];

export type RequestFigures = {
  readonly endpoint: string;
  readonly method: string;
  readonly status: number;
  readonly durationSeconds: number;
  readonly traceId: string;
};

export class ShopMetrics {
  readonly #registry = new Registry<typeof OPEN_METRICS>();
  /** Writing takes turns, because the language is a setting of the registry. */
  #writing: Promise<unknown> = Promise.resolve();

  readonly #requests: Counter;
  readonly #requestSeconds: Histogram;
  readonly #processingSeconds: Summary;
  readonly #endpointRequests: Counter<'endpoint'>;
  readonly #shopRequests: Counter<'method' | 'status' | 'endpoint'>;
  readonly #shopSeconds: Histogram;

  readonly queueSize: Gauge;
  readonly sales: Counter<'metodo_pagamento'>;
  readonly cartAdditions: Counter<'produto_id'>;
  readonly activeUsers: Gauge;
  readonly stock: Gauge<'produto_id' | 'produto_nome'>;
  readonly checkoutSeconds: Histogram;
  readonly searchSeconds: Summary;

  constructor(system: readonly SystemFigure[]) {
    this.#registry.setContentType(OPEN_METRICS);
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });

    this.#requests = new Counter({
      name: 'app_requests_total',
      help: 'Requests that the app has answered.',
      registers,
    });
    this.#requestSeconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'How long requests take.',
      buckets: REQUEST_BUCKETS_SECONDS,
      enableExemplars: true,
      registers,
    });
    this.#processingSeconds = new Summary({
      name: 'app_request_processing_seconds',
      help: 'Time spent on a request.',
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers,
    });
    this.#endpointRequests = new Counter({
      name: 'app_http_requests_total',
      help: 'Requests per endpoint.',
      labelNames: ['endpoint'],
      registers,
    });
    this.queueSize = new Gauge({
      name: 'app_queue_size',
      help: 'Orders that wait to be packed.',
      registers,
    });
    this.#shopRequests = new Counter({
      name: 'flask_http_request_total',
      help: 'Requests by method, status and endpoint.',
      labelNames: ['method', 'status', 'endpoint'],
      registers,
    });
    this.#shopSeconds = new Histogram({
      name: 'flask_http_request_duration_seconds',
      help: 'How long requests take, by endpoint, method and status.',
      labelNames: ['endpoint', 'method', 'status'],
      buckets: REQUEST_BUCKETS_SECONDS,
      enableExemplars: true,
      registers,
    });
    new Gauge({
      name: 'app_info',
      help: 'Version and name of the app.',
      labelNames: ['version', 'app_name'],
      registers,
    }).set({ version: '1.0.0', app_name: 'narthex-shop' }, 1);
    this.sales = new Counter({
      name: 'ecommerce_vendas_total',
      help: 'Sales by method of payment.',
      labelNames: ['metodo_pagamento'],
      registers,
    });
    this.cartAdditions = new Counter({
      name: 'ecommerce_produtos_carrinho_total',
      help: 'Products put into the cart.',
      labelNames: ['produto_id'],
      registers,
    });
    this.activeUsers = new Gauge({
      name: 'ecommerce_usuarios_ativos',
      help: 'Users who are logged in.',
      registers,
    });
    this.stock = new Gauge({
      name: 'ecommerce_estoque_produto',
      help: 'Pieces of a product in stock.',
      labelNames: ['produto_id', 'produto_nome'],
      registers,
    });
    this.checkoutSeconds = new Histogram({
      name: 'ecommerce_checkout_duracao_seconds',
      help: 'How long a checkout takes.',
      buckets: CHECKOUT_BUCKETS_SECONDS,
      enableExemplars: true,
      registers,
    });
    this.searchSeconds = new Summary({
      name: 'ecommerce_busca_duracao_seconds',
      help: 'How long a search takes.',
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers,
    });
    for (const figure of system) addFigure(this.#registry, figure);
  }

  requestAnswered(figures: RequestFigures): void {
    const { endpoint, method, durationSeconds, traceId } = figures;
    const labels = { endpoint, method, status: String(figures.status) };
    const exemplarLabels = { trace_id: traceId };
    this.#requests.inc();
    this.#endpointRequests.inc({ endpoint });
    this.#processingSeconds.observe(durationSeconds);
    this.#requestSeconds.observe({ labels: {}, value: durationSeconds, exemplarLabels });
    this.#shopRequests.inc(labels);
    this.#shopSeconds.observe({ labels, value: durationSeconds, exemplarLabels });
  }

  /** All of it, in OpenMetrics where `accept` asks for that, otherwise in the text format. */
  write(accept: string): Promise<{ contentType: string; body: string }> {
    const contentType = accept.includes('application/openmetrics-text') ? OPEN_METRICS : TEXT;
    const written = this.#writing.then(async () => {
      this.#registry.setContentType(contentType as typeof OPEN_METRICS);
      return { contentType, body: await this.#registry.metrics() };
    });
    this.#writing = written.catch(() => {});
    return written;
  }
}

function addFigure(registry: Registry<typeof OPEN_METRICS>, figure: SystemFigure): Gauge {
  const { name, help, read } = figure;
  return new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
