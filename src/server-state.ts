/** What the server is doing, for those who only want to know. */
import type { NamedCount, Readiness, WalReplay } from '../web/index.ts';

export type { NamedCount };

export class ServerState {
  readiness: Readiness = 'starting';
  /** Whether blocks can be asked while the log is still being read. */
  servesBlocks = false;
  walReplay: WalReplay = { min: 0, max: 0, current: 0 };
  readonly startTimeMs: number;
  lastConfigTimeMs = 0;
  reloadConfigSuccess = false;

  constructor(startTimeMs: number) {
    this.startTimeMs = startTimeMs;
  }
}
