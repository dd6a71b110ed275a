/**
 * Looking into the thread that calls: where its time goes, what its memory is for.
 * Source: Chrome DevTools Protocol, domains Profiler and HeapProfiler.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from 'node:inspector/promises';

type CallFrame = {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
};
/** What DevTools open as a `.cpuprofile`. */
export type CpuProfile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  /** Microseconds of a monotonic clock. */
  readonly startTime: number;
  readonly endTime: number;
  /** Node by node, and the microseconds before each. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};
export type HeapNode = {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
};

const SAMPLING_INTERVAL_BYTES = 128 * 1024;

export function takeCpuProfile(durationMs: number): Promise<CpuProfile> {
  return withSession(async (session) => {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(durationMs);
    const { profile } = await session.post('Profiler.stop');
    return profile as CpuProfile;
  });
}

/** What is allocated meanwhile and still in use at the end, by who allocated it. */
export function takeHeapSample(durationMs: number): Promise<HeapNode> {
  return withSession(async (session) => {
    const samplingInterval = SAMPLING_INTERVAL_BYTES;
    await session.post('HeapProfiler.startSampling', { samplingInterval });
    await sleep(durationMs);
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return profile.head;
  });
}

async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  // Loaded only where somebody looks: it starts an agent in the thread.
  const inspector = await import('node:inspector/promises');
  const session = new inspector.Session();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
  }
}
