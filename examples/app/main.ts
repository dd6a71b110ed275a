/**
 * The sample app: `node examples/app/main.ts [--port=8000] [--host=127.0.0.1] [--no-traffic]
 * [--load=1] [--scenario=usual|errors|slow|sold-out]`. With `--load=10` there are ten times the
 * usual customers; the scenarios make the alerts of examples/rules.yml fire.
 * Environment: APP_PORT, APP_HOST. Its metrics are at /metrics.
 */
import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenario.ts';
import { buildShop } from './shop.ts';
import { startTraffic } from './traffic.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['APP_PORT'] ?? '8000' },
    host: { type: 'string', default: process.env['APP_HOST'] ?? '127.0.0.1' },
    traffic: { type: 'boolean', default: true },
    load: { type: 'string', default: '1' },
    scenario: { type: 'string', default: 'usual' },
  },
  allowNegative: true,
});

const scenario = Object.entries(SCENARIOS).find(([name]) => name === values.scenario)?.[1];
const load = Number(values.load);
if (scenario === undefined || !(load > 0)) {
  const names = Object.keys(SCENARIOS).join(', ');
  process.stderr.write(`sample app: --scenario is one of ${names}; --load a number above 0\n`);
  process.exit(2);
}

const app = buildShop(scenario);
try {
  await app.listen({ port: Number(values.port), host: values.host });
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? `port ${values.port} is in use (--port=…)` : message;
  process.stderr.write(`sample app: ${why}\n`);
  process.exit(1);
}
const stopTraffic = values.traffic ? startTraffic(app, load) : () => {};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopTraffic();
    // Checkouts may be under way for seconds; nobody waits for them now.
    void app.close();
    setTimeout(() => process.exit(0), 500).unref();
  });
}
