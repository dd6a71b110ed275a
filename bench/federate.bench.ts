/**
 * A federation of everything that a server scrapes every second, as text, compressed text and
 * protobuf, twice each: ours and the Prometheus that NARTHEX_PROMETHEUS names; Linux. Prints when the
 * first and the last byte of the second came, and the memory of the process.
 *
 *   node bench/federate.bench.ts [rounds=2] [targets=100] [series per target=2000]
 */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MeasuredServer, serversToCompare } from './measured-server.ts';
import { ScrapeTargets } from './scrape-targets.ts';

const [roundCount = 2, targetCount = 100, seriesCountPerTarget = 2000] = process.argv
  .slice(2)
  .map(Number);

/** Until all targets are known. */
const WARM_UP_MS = 12_000;
/** Until what an answer left behind has been tidied up. */
const SETTLE_MS = 1500;
const EVERYTHING = `/federate?${new URLSearchParams({ 'match[]': '{__name__=~".+"}' })}`;
const PROTOBUF =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
const FORMS: readonly { readonly name: string; readonly headers: Record<string, string> }[] = [
  { name: 'text', headers: {} },
  { name: 'gzip', headers: { 'accept-encoding': 'gzip' } },
  { name: 'protobuf', headers: { accept: PROTOBUF } },
];

type Times = { readonly firstMs: number; readonly lastMs: number; readonly sizeBytes: number };

function federate(url: string, headers: Record<string, string>): Promise<Times> {
  return new Promise((resolve, reject) => {
    const beganMs = performance.now();
    let firstMs = 0;
    let sizeBytes = 0;
    get(url + EVERYTHING, { agent: false, headers }, (answer) => {
      answer.on('data', (part: Buffer) => {
        firstMs ||= performance.now() - beganMs;
        sizeBytes += part.length;
      });
      answer.on('end', () => resolve({ firstMs, lastMs: performance.now() - beganMs, sizeBytes }));
    }).on('error', reject);
  });
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

async function measure(name: string, program: string): Promise<void> {
  const targets = await ScrapeTargets.start({ targetCount, seriesCountPerTarget });
  const server = await MeasuredServer.start(program, { config: targets.config });
  try {
    await sleep(WARM_UP_MS);
    for (const form of FORMS) {
      await federate(server.url, form.headers);
      await sleep(SETTLE_MS);
      const { firstMs, lastMs, sizeBytes } = await federate(server.url, form.headers);
      console.log(
        `${name.padEnd(10)} ${form.name.padEnd(8)} first byte ${firstMs.toFixed(0)} ms, ` +
          `last ${lastMs.toFixed(0)} ms, ${(sizeBytes / 1e6).toFixed(1)} MB; ` +
          `peak ${mebibytes(server.memoryBytes('VmHWM'))}`,
      );
    }
  } finally {
    await server.stop();
    await targets.stop();
  }
}

for (let round = 0; round < roundCount; round++) {
  for (const { name, program } of serversToCompare()) await measure(name, program);
}
