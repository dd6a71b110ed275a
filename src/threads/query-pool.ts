/**
 * Hands work to query workers. A worker does one thing at a time, start to end. One is usually
 * there; more are started when something waits behind long work, so that a cheap query need not wait
 * for a heavy one. They end again when nothing has needed them for a while, the last one after a
 * longer while: each costs some 20 MB, and half a second of processor time until V8 has compiled its
 * code. A worker that dies takes its own query with it.
 *
 * What waits is taken in the order in which it came, but light work passes the rest, and all pass what
 * is very heavy, as far as is known; nothing is passed for ever. There are not more classes than
 * these because the longest waits become longer with each.
 */
import {
  CanceledError,
  type Clock,
  type Logger,
  messageOf,
  NarthexError,
} from '../../model/index.ts';
import type { Begun } from './rpc.ts';

/** A worker as the pool sees it; `C` is what work is done with. */
export interface PoolWorker<C> {
  readonly client: C;
  /** False from the moment that it is known to end. */
  readonly isAlive: boolean;
  /** Resolves once the worker can take work; rejects when it cannot be started. */
  readonly started: Promise<void>;
  /** Processor time that the work under way has taken so far; 0 when it has not begun. */
  workMs(): Promise<number>;
  /** Resolves with the reason when the worker has ended, whoever wanted it. */
  readonly ended: Promise<Error>;
  terminate(): void;
}

export type PoolOptions<C> = {
  readonly spawn: () => PoolWorker<C>;
  readonly workerCountMax: number;
  /** Threads that can run at the same time. */
  readonly coreCount: number;
  /** How many queries may be under way or be waited for by a worker; other work is not counted. */
  readonly queryCountMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For tests: how long workers are kept without work. */
  readonly idleMsMax?: number;
  readonly lastIdleMsMax?: number;
};

export type WorkOptions = {
  /** Queries are bounded by `queryCountMax`. */
  readonly isQuery: boolean;
  /** Aborts when nobody wants the answer any more. */
  readonly signal: AbortSignal;
  /** Waiting included; Infinity for none. */
  readonly timeoutMs: number;
  /** What it is likely to take; undefined while that is not known. Asked again while it waits. */
  readonly expectedMs?: () => number | undefined;
};

/** Carries the code that the API translates to "timeout". */
export class QueueTimeoutError extends NarthexError {
  readonly code = 'PROMQL_TIMEOUT';
}

/** How long work may wait before it is looked whether another worker would help. */
const GROW_AFTER_MS = 15;
/**
 * Processor time after which work under way is long enough for starting another worker: where a core
 * may be free, and where there are as many workers as cores already. What has taken less may only
 * have been waiting for a processor itself, and another thread would make nothing faster.
 */
const LONG_WORK_MS = 25;
const VERY_LONG_WORK_MS = 200;
/** Work that took longer the last time gets a worker beyond the cores only after a while. */
const HEAVY_WORK_MS = 50;
/** When work has waited for so long, there is enough of it for another core, however short it is. */
const BACKLOG_MS = 200;
/** Work that took no longer the last time passes all other. */
const LIGHT_WORK_MS = 10;
/** Work that took longer the last time is passed by all other. */
const VERY_HEAVY_WORK_MS = 500;
/** But nothing is passed by what comes so long after it. */
const PASSED_MS_MAX = 2000;
const VERY_HEAVY_PASSED_MS_MAX = 5000;
/** What has waited for longer gets a worker beyond the cores although it is heavy. */
const PATIENCE_MS = 1000;
/** How long a worker beyond the first is kept without work, and the last one. */
const IDLE_MS_MAX = 30_000;
const LAST_IDLE_MS_MAX = 5 * 60_000;
/** A worker that has not stopped so long after it was told to is put to an end. */
const CANCEL_GRACE_MS = 5000;
const RESPAWN_DELAY_MS = 1000;

type Job<C> = {
  readonly options: WorkOptions;
  readonly begin: (client: C, waitedMs: number) => Begun<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly queuedMs: number;
  /** Set when somebody has been answered already. */
  isSettled: boolean;
};

type Member<C> = {
  readonly worker: PoolWorker<C>;
  isReady: boolean;
  job: Job<C> | null;
  /** Asks the job not to wait for others. */
  hurry: (() => void) | null;
  idleSinceMs: number;
  isRetiring: boolean;
};

function passedMsMax(expectedMs: number | undefined): number {
  if (expectedMs === undefined) return PASSED_MS_MAX;
  if (expectedMs <= LIGHT_WORK_MS) return 0;
  return expectedMs <= VERY_HEAVY_WORK_MS ? PASSED_MS_MAX : VERY_HEAVY_PASSED_MS_MAX;
}

export class QueryPool<C> {
  readonly #options: PoolOptions<C>;
  readonly #members = new Set<Member<C>>();
  #queue: Job<C>[] = [];
  #growTimer: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: PoolOptions<C>) {
    this.#options = options;
  }

  /** Sees to it that there is a worker; resolves when one can take work. */
  async start(): Promise<void> {
    const [first = this.#grow()] = this.#members;
    await first.worker.started;
  }

  get workerCount(): number {
    return this.#members.size;
  }

  /** Queries that are under way or wait for a worker. */
  get queryCount(): number {
    return this.#runningQueryCount() + this.#queue.filter((job) => job.options.isQuery).length;
  }

  get hasWaiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Something can be asked of every worker that is free; the busy ones are left out. */
  idleClients(): C[] {
    return [...this.#members]
      .filter((m) => m.isReady && m.job === null)
      .map((m) => m.worker.client);
  }

  /**
   * Does `begin` on a free worker.
   * @param begin  gets how long the work has waited
   * @throws CanceledError  `signal` aborted; the worker is told so and freed soon
   * @throws QueueTimeoutError  it was still waiting when the time was over
   */
  run<T>(options: WorkOptions, begin: (client: C, waitedMs: number) => Begun<T>): Promise<T> {
    const { signal, timeoutMs } = options;
    if (this.#isClosed || signal.aborted)
      return Promise.reject(new CanceledError('query canceled'));
    return new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (report: () => void) => {
        if (job.isSettled) return;
        job.isSettled = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        report();
      };
      const job: Job<C> = {
        options,
        begin,
        queuedMs: this.#options.clock.monotonicMs(),
        isSettled: false,
        resolve: (value) => settle(() => resolve(value as T)),
        reject: (error) => settle(() => reject(error)),
      };
      const onAbort = () => {
        const where = this.#queue.includes(job) ? 'queue' : 'execution';
        this.#leaveQueue(job);
        job.reject(new CanceledError(`query was canceled in query ${where}`));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (Number.isFinite(timeoutMs)) {
        // Work that has begun watches its own time; this is for what still waits.
        timer = setTimeout(() => {
          if (!this.#queue.includes(job)) return;
          this.#leaveQueue(job);
          job.reject(new QueueTimeoutError('query timed out in query queue'));
        }, timeoutMs);
      }
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  /** Ends all workers; what is under way is canceled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of [this.#growTimer, this.#idleTimer]) if (timer !== null) clearTimeout(timer);
    for (const job of this.#queue.splice(0)) job.reject(new CanceledError('the server stops'));
    const members = [...this.#members];
    for (const member of members) {
      member.job?.reject(new CanceledError('the server stops'));
      member.worker.terminate();
    }
    await Promise.all(members.map((member) => member.worker.ended));
  }

  #runningQueryCount(): number {
    let count = 0;
    for (const { job } of this.#members) if (job?.options.isQuery === true) count++;
    return count;
  }

  #leaveQueue(job: Job<C>): void {
    this.#queue = this.#queue.filter((other) => other !== job);
  }

  /** What may begin now, in no order. */
  #eligibleJobs(): Job<C>[] {
    if (this.#runningQueryCount() < this.#options.queryCountMax) return this.#queue;
    return this.#queue.filter((job) => !job.options.isQuery);
  }

  /** The next job that may begin now, taken out of the queue. */
  #nextJob(): Job<C> | undefined {
    let next: Job<C> | undefined;
    let nextDueMs = Infinity;
    for (const job of this.#eligibleJobs()) {
      const dueMs = job.queuedMs + passedMsMax(job.options.expectedMs?.());
      if (dueMs >= nextDueMs) continue;
      next = job;
      nextDueMs = dueMs;
    }
    if (next !== undefined) this.#leaveQueue(next);
    return next;
  }

  #dispatch(): void {
    for (const member of this.#members) {
      const isFree = member.isReady && member.job === null && member.worker.isAlive;
      if (!isFree) continue;
      const job = this.#nextJob();
      if (job === undefined) return;
      this.#begin(member, job);
    }
    if (this.#queue.length === 0) return;
    for (const { hurry } of this.#members) hurry?.();
    this.#growSoon();
  }

  #begin(member: Member<C>, job: Job<C>): void {
    member.job = job;
    const { signal } = job.options;
    const waitedMs = this.#options.clock.monotonicMs() - job.queuedMs;
    let graceTimer: NodeJS.Timeout | undefined;
    const { result, cancel, hurry = null } = job.begin(member.worker.client, waitedMs);
    member.hurry = hurry;
    const onAbort = () => {
      cancel();
      graceTimer = setTimeout(() => member.worker.terminate(), CANCEL_GRACE_MS);
    };
    // Settled already when the signal had aborted in between.
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    const done = () => {
      clearTimeout(graceTimer);
      signal.removeEventListener('abort', onAbort);
      member.job = null;
      member.hurry = null;
      member.idleSinceMs = this.#options.clock.monotonicMs();
      this.#dispatch();
      this.#retireLater();
    };
    result.then(
      (value) => {
        job.resolve(value);
        done();
      },
      (error: unknown) => {
        job.reject(error);
        done();
      },
    );
  }

  #growSoon(): void {
    if (this.#growTimer !== null || this.#isClosed) return;
    if (this.#members.size >= this.#options.workerCountMax) return;
    const delayMs = this.#members.size === 0 ? 0 : GROW_AFTER_MS;
    this.#growTimer = setTimeout(() => {
      void this.#isGrowthWorth().then((isWorth) => {
        this.#growTimer = null;
        if (this.#isClosed || this.#queue.length === 0) return;
        if (isWorth) this.#grow();
        this.#growSoon();
      });
    }, delayMs);
  }

  /** Would what waits be done sooner if there were another worker? */
  async #isGrowthWorth(): Promise<boolean> {
    const { clock, coreCount } = this.#options;
    const members = [...this.#members];
    const waiting = this.#eligibleJobs();
    if (waiting.length === 0) return false;
    if (members.some(({ isReady }) => !isReady)) return false;
    if (members.length === 0) return true;
    const waitedMs = clock.monotonicMs() - Math.min(...waiting.map((job) => job.queuedMs));
    const isWithinCores = members.length < coreCount;
    if (isWithinCores && waitedMs >= BACKLOG_MS) return true;
    const isLight = ({ options }: Job<C>) => (options.expectedMs?.() ?? 0) <= HEAVY_WORK_MS;
    if (!isWithinCores && waitedMs < PATIENCE_MS && !waiting.some(isLight)) return false;
    // A worker that ends in between may never answer.
    const workMs = await Promise.all(
      members.map(({ worker }) =>
        Promise.race([worker.workMs().catch(() => 0), worker.ended.then(() => 0)]),
      ),
    );
    const longMs = isWithinCores ? LONG_WORK_MS : VERY_LONG_WORK_MS;
    return workMs.every((ms) => ms >= longMs);
  }

  #grow(): Member<C> {
    const worker = this.#options.spawn();
    const member: Member<C> = {
      worker,
      isReady: false,
      job: null,
      hurry: null,
      idleSinceMs: this.#options.clock.monotonicMs(),
      isRetiring: false,
    };
    this.#members.add(member);
    worker.started.then(
      () => {
        member.isReady = true;
        this.#dispatch();
        this.#retireLater();
      },
      // `ended` tells the same, and why.
      () => {},
    );
    void worker.ended.then((reason) => this.#onEnd(member, reason));
    return member;
  }

  #onEnd(member: Member<C>, reason: Error): void {
    this.#members.delete(member);
    if (member.isRetiring || this.#isClosed) return;
    this.#options.logger.error('A query worker ended', {
      component: 'query pool',
      err: messageOf(reason),
    });
    member.job?.reject(reason);
    if (!member.isReady && ![...this.#members].some(({ isReady }) => isReady)) {
      // There is none to take what waits: better told now than when its time is over.
      for (const job of this.#queue.splice(0)) job.reject(reason);
    }
    // One that cannot even start would otherwise be started again and again at full speed.
    setTimeout(() => this.#dispatch(), member.isReady ? 0 : RESPAWN_DELAY_MS).unref();
  }

  #retireLater(): void {
    if (this.#idleTimer !== null || this.#members.size === 0 || this.#isClosed) return;
    const { idleMsMax = IDLE_MS_MAX, lastIdleMsMax = LAST_IDLE_MS_MAX } = this.#options;
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = null;
      const nowMs = this.#options.clock.monotonicMs();
      for (const member of this.#members) {
        const isIdle = member.isReady && member.job === null;
        const limitMs = this.#members.size > 1 ? idleMsMax : lastIdleMsMax;
        if (!isIdle || nowMs - member.idleSinceMs < limitMs) continue;
        member.isRetiring = true;
        this.#members.delete(member);
        member.worker.terminate();
      }
      this.#retireLater();
    }, idleMsMax).unref();
  }
}
