/** Gauges about this process and this machine, read when somebody asks. */
import { statfsSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';

export type SystemFigure = {
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
};

export function systemFigures(): SystemFigure[] {
  return [
    {
      name: 'app_cpu_percent',
      help: 'Processor time of the app since the last look.',
      read: processCpu(),
    },
    {
      name: 'app_memory_bytes',
      help: 'Resident memory of the app.',
      read: () => process.memoryUsage.rss(),
    },
    {
      name: 'app_memory_percent',
      help: 'Resident memory of the app as part of the machine’s.',
      read: () => (100 * process.memoryUsage.rss()) / totalmem(),
    },
    {
      name: 'system_cpu_percent',
      help: 'Processor time of the machine since the last look.',
      read: machineCpu(),
    },
    {
      name: 'system_memory_percent',
      help: 'Memory in use on the machine.',
      read: () => 100 * (1 - freemem() / totalmem()),
    },
    {
      name: 'system_disk_total_bytes',
      help: 'Size of the disk.',
      read: () => disk().totalBytes,
    },
    {
      name: 'system_disk_free_bytes',
      help: 'Room on the disk.',
      read: () => disk().freeBytes,
    },
    {
      name: 'system_disk_usage_bytes',
      help: 'Used part of the disk.',
      read: () => disk().totalBytes - disk().freeBytes,
    },
    {
      name: 'system_disk_usage_percent',
      help: 'Used part of the disk.',
      read: () => 100 * (1 - disk().freeBytes / disk().totalBytes),
    },
    {
      name: 'system_disk_free_percent',
      help: 'Room on the disk.',
      read: () => (100 * disk().freeBytes) / disk().totalBytes,
    },
  ];
}

function disk(): { totalBytes: number; freeBytes: number } {
  const { bsize, blocks, bfree } = statfsSync('/');
  return { totalBytes: bsize * blocks, freeBytes: bsize * bfree };
}

function processCpu(): () => number {
  let before = process.cpuUsage();
  let beforeMs = performance.now();
  return () => {
    const now = process.cpuUsage(before);
    const elapsedMs = performance.now() - beforeMs;
    before = process.cpuUsage();
    beforeMs = performance.now();
    return elapsedMs === 0 ? 0 : (now.user + now.system) / 10 / elapsedMs;
  };
}

function machineCpu(): () => number {
  const read = () => {
    let busyMs = 0;
    let totalMs = 0;
    for (const { times } of cpus()) {
      const sumMs = times.user + times.nice + times.sys + times.idle + times.irq;
      totalMs += sumMs;
      busyMs += sumMs - times.idle;
    }
    return { busyMs, totalMs };
  };
  let before = read();
  return () => {
    const now = read();
    const totalMs = now.totalMs - before.totalMs;
    const percent = totalMs === 0 ? 0 : (100 * (now.busyMs - before.busyMs)) / totalMs;
    before = now;
    return percent;
  };
}
