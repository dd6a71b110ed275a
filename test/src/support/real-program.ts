/** A real Prometheus or Alertmanager beside the test; ended with it, whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { sleep } from './server.ts';

const READY_WITHIN_MS = 20_000;

export class RealProgram {
  readonly url: string;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  /** Starts `binary` and waits until it is ready at `url`. */
  static async start(binary: string, args: readonly string[], url: string): Promise<RealProgram> {
    const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const program = new RealProgram(url, child);
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadlineMs && child.exitCode === null) {
      const isReady = await fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) return program;
      await sleep(50);
    }
    await program.stop();
    throw new Error(`${binary} does not become ready:\n${program.#log}`);
  }

  async json<T>(route: string): Promise<T> {
    const response = await fetch(this.url + route);
    return (await response.json()) as T;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
