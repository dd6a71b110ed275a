/**
 * Hands work to query workers. A worker does one thing at a time, start to end. One is usually
 * there; more are started when something has waited for a moment, so that a cheap query need not
 * wait for a heavy one. They end again when nothing has needed them for a while, the last one after
 * a longer while: each costs some 20 MB. A worker that dies takes its own query with it.
 */
import {
  CanceledError,
  type Clock,
  type Logger,
  messageOf,
  NarthexError,
} from '../../model/index.ts';

/** A worker as the pool sees it; `C` is what work is done with. */
export interface PoolWorker<C> {
  readonly client: C;
  /** False from the moment that it is known to end. */
  readonly isAlive: boolean;
  /** Resolves once the worker can take work; rejects when it cannot be started. */
  readonly started: Promise<void>;
  /** Resolves with the reason when the worker has ended, whoever wanted it. */
  readonly ended: Promise<Error>;
  terminate(): void;
}

/** Work that has begun: `result` settles when the worker is free again. */
export type Begun<T> = { readonly result: Promise<T>; readonly cancel: () => void };

export type PoolOptions<C> = {
  readonly spawn: () => PoolWorker<C>;
  readonly workerCountMax: number;
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
};

/** Carries the code that the API translates to "timeout". */
export class QueueTimeoutError extends NarthexError {
  readonly code = 'PROMQL_TIMEOUT';
}

/** How long work may wait while all workers are busy before another worker is started. */
const GROW_AFTER_MS = 15;
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
  idleSinceMs: number;
  isRetiring: boolean;
};

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

  /** The next job that may begin now, taken out of the queue. */
  #nextJob(): Job<C> | undefined {
    const mayQuery = this.#runningQueryCount() < this.#options.queryCountMax;
    const index = this.#queue.findIndex((job) => mayQuery || !job.options.isQuery);
    return index < 0 ? undefined : this.#queue.splice(index, 1)[0];
  }

  #dispatch(): void {
    for (const member of this.#members) {
      const isFree = member.isReady && member.job === null && member.worker.isAlive;
      if (!isFree) continue;
      const job = this.#nextJob();
      if (job === undefined) return;
      this.#begin(member, job);
    }
    if (this.#queue.length > 0) this.#growSoon();
  }

  #begin(member: Member<C>, job: Job<C>): void {
    member.job = job;
    const { signal } = job.options;
    const waitedMs = this.#options.clock.monotonicMs() - job.queuedMs;
    let graceTimer: NodeJS.Timeout | undefined;
    const { result, cancel } = job.begin(member.worker.client, waitedMs);
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
      this.#growTimer = null;
      const isStarting = [...this.#members].some((member) => !member.isReady);
      if (this.#queue.length > 0 && !isStarting) this.#grow();
      if (this.#queue.length > 0) this.#growSoon();
    }, delayMs);
  }

  #grow(): Member<C> {
    const worker = this.#options.spawn();
    const member: Member<C> = {
      worker,
      isReady: false,
      job: null,
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
