/** Everything that tracing needs once it is on: spans are made here and sent to the collector. */
import type { Clock, Logger, Tracer } from '../../model/index.ts';
import { narthexVersion, PROMETHEUS_VERSION } from '../version.ts';
import { GrpcSpanSender } from './grpc-span-sender.ts';
import { HttpSpanSender } from './http-span-sender.ts';
import { SpanQueue } from './span-queue.ts';
import { SpanTracer } from './span-tracer.ts';
import { encodeTraceRequest } from './trace-message.ts';
import type { TracingConfig } from './tracing-config.ts';

const NAME = 'narthex';

export class Exporter {
  readonly tracer: Tracer;
  readonly #queue: SpanQueue;

  constructor(config: TracingConfig, clock: Clock, logger: Logger) {
    const version = narthexVersion();
    const userAgent = `${NAME}/${version}`;
    const sender =
      config.protocol === 'http'
        ? new HttpSpanSender(config, clock, userAgent)
        : new GrpcSpanSender(config, clock, userAgent);
    const resource = {
      // As Prometheus tells it: dashboards ask for this name.
      'service.name': 'prometheus',
      'service.version': PROMETHEUS_VERSION,
      'process.runtime.description': `node ${process.version}`,
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': NAME,
      'telemetry.sdk.version': version,
    };
    this.#queue = new SpanQueue({
      encode: (spans) => encodeTraceRequest(resource, { name: NAME, version }, spans),
      sender,
      timeoutMs: config.timeoutMs,
      logger: logger.with({ component: 'tracing' }),
    });
    this.tracer = new SpanTracer(config.samplingRatio, (span) => this.#queue.add(span));
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }
}
