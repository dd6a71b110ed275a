/**
 * The sample app: `node examples/app/main.ts [--port=8000] [--host=127.0.0.1] [--no-traffic]`.
 * Environment: APP_PORT, APP_HOST. Its metrics are at /metrics.
 */
import { parseArgs } from 'node:util';
import { buildShop } from './shop.ts';
import { startTraffic } from './traffic.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['APP_PORT'] ?? '8000' },
    host: { type: 'string', default: process.env['APP_HOST'] ?? '127.0.0.1' },
    traffic: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const app = buildShop();
try {
  await app.listen({ port: Number(values.port), host: values.host });
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? `port ${values.port} is in use (--port=…)` : message;
  process.stderr.write(`sample app: ${why}\n`);
  process.exit(1);
}
const stopTraffic = values.traffic ? startTraffic(app) : () => {};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopTraffic();
    // Checkouts may be under way for seconds; nobody waits for them now.
    void app.close();
    setTimeout(() => process.exit(0), 500).unref();
  });
}
