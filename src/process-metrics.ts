/**
 * Figures of the process as a whole: `process_*` as every Prometheus client library gives them,
 * Node's own, and stand-ins for the few `go_*` that dashboards for Prometheus read.
 * Source: Prometheus "Writing client libraries", process metrics; proc(5).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from '../model/index.ts';

const PAGE_SIZE_BYTES = 4096;
const EVENT_LOOP_RESOLUTION_MS = 100;
const NS_PER_SECOND = 1e9;

/** @param threadCount  how many threads of ours run */
export function registerProcessMetrics(registry: Registry, threadCount: () => number): void {
  const startTime = registry.gauge(
    'process_start_time_seconds',
    'Start time of the process since unix epoch in seconds.',
  );
  startTime.set(Math.round((performance.timeOrigin / 1000) * 100) / 100);
  const cpu = registry.counter(
    'process_cpu_seconds_total',
    'Total user and system CPU time spent in seconds.',
  );
  const resident = registry.gauge(
    'process_resident_memory_bytes',
    'Resident memory size in bytes.',
  );
  const virtual = registry.gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.');
  const virtualMax = registry.gauge(
    'process_virtual_memory_max_bytes',
    'Maximum amount of virtual memory available in bytes.',
  );
  const openFds = registry.gauge('process_open_fds', 'Number of open file descriptors.');
  const maxFds = registry.gauge('process_max_fds', 'Maximum number of open file descriptors.');
  const received = registry.counter(
    'process_network_receive_bytes_total',
    'Bytes received in the network namespace of the process.',
  );
  const sent = registry.counter(
    'process_network_transmit_bytes_total',
    'Bytes sent in the network namespace of the process.',
  );
  registry.beforeSnapshot(() => {
    const traffic = networkTraffic();
    received.value = traffic.receivedBytes;
    sent.value = traffic.sentBytes;
    const { user, system } = process.cpuUsage();
    cpu.value = (user + system) / 1e6;
    const memory = memoryOfProcess();
    resident.set(memory.residentBytes);
    virtual.set(memory.virtualBytes);
    const limits = limitsOfProcess();
    virtualMax.set(limits.virtualBytes);
    maxFds.set(limits.fileCount);
    openFds.set(openFileCount());
  });
  registerNodeMetrics(registry, threadCount);
}

function registerNodeMetrics(registry: Registry, threadCount: () => number): void {
  const { version } = process;
  registry.gauges('nodejs_version_info', 'Version of Node.js.', ['version']).labels(version).set(1);
  registry
    .gauges('go_info', 'Information about the environment.', ['version'])
    .labels(version)
    .set(1);
  const heapUsed = registry.gauge(
    'nodejs_heap_size_used_bytes',
    'Memory of the main thread that JavaScript uses.',
  );
  const heapTotal = registry.gauge(
    'nodejs_heap_size_total_bytes',
    'Memory of the main thread that is set aside for JavaScript.',
  );
  const external = registry.gauge(
    'nodejs_external_memory_bytes',
    'Memory outside of JavaScript that its objects hold.',
  );
  const lag = registry.gauges(
    'nodejs_eventloop_lag_seconds',
    'How late the main thread gets to its timers, since the last look.',
    ['quantile'],
  );
  const threads = registry.gauge('go_threads', 'Number of threads of ours.');
  const goroutines = registry.gauge('go_goroutines', 'Number of threads of ours.');
  const allocated = registry.gauge(
    'go_memstats_alloc_bytes',
    'Memory of the main thread that JavaScript uses.',
  );
  const delays = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delays.enable();
  registry.beforeSnapshot(() => {
    const memory = process.memoryUsage();
    heapUsed.set(memory.heapUsed);
    heapTotal.set(memory.heapTotal);
    external.set(memory.external);
    allocated.set(memory.heapUsed);
    threads.set(threadCount());
    goroutines.set(threadCount());
    for (const quantile of [0.5, 0.99]) {
      const delayNs = delays.count === 0 ? 0 : delays.percentile(quantile * 100);
      const lagNs = Math.max(0, delayNs - EVENT_LOOP_RESOLUTION_MS * 1e6);
      lag.labels(String(quantile)).set(lagNs / NS_PER_SECOND);
    }
    delays.reset();
  });
}

function memoryOfProcess(): { residentBytes: number; virtualBytes: number } {
  const residentBytes = process.memoryUsage.rss();
  const [pageCount] = readProc('statm').split(' ');
  return { residentBytes, virtualBytes: Number(pageCount || 0) * PAGE_SIZE_BYTES };
}

function limitsOfProcess(): { virtualBytes: number; fileCount: number } {
  const limits = readProc('limits');
  const softLimit = (name: string) => {
    const text = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(limits)?.[1];
    // Go's library writes the largest unsigned integer for "unlimited".
    return text === 'unlimited' ? 2 ** 64 : Number(text ?? 0);
  };
  return { virtualBytes: softLimit('Max address space'), fileCount: softLimit('Max open files') };
}

/** Two lines per protocol: the names of its figures, and the figures. */
function networkTraffic(): { receivedBytes: number; sentBytes: number } {
  const lines = readProc('net/netstat').split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('IpExt: '))
    .map((line) => line.split(' '));
  const figure = (name: string) => Number(values[names.indexOf(name)] ?? 0);
  return { receivedBytes: figure('InOctets'), sentBytes: figure('OutOctets') };
}

function openFileCount(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Empty where there is no /proc, so that the figures read 0 there. */
function readProc(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8');
  } catch {
    return '';
  }
}
