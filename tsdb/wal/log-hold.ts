/** Who keeps the log from being shortened: somebody who has not read all of it yet. */
import type { Files } from '../io/files.ts';
import { findSegments, segmentPath } from './segment-name.ts';

export class LogHold {
  readonly #sizeBytesMax: number;
  /** The first segment that is needed; all are until somebody says otherwise. */
  #segment = 0;

  /** @param sizeBytesMax  nobody may keep more of the log than that; 0: nobody keeps anything */
  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax;
  }

  /** @param segment  the first one that is needed from now on; null: none is */
  set(segment: number | null): void {
    this.#segment = segment ?? Infinity;
  }

  /** The first segment that must stay: of what is needed the newest part, as far as allowed. */
  firstNeeded(files: Files, directory: string, sizeBytesMax = Infinity): number {
    let leftBytes = Math.min(this.#sizeBytesMax, sizeBytesMax);
    if (leftBytes === 0) return Infinity;
    let first = Infinity;
    for (const segment of findSegments(files, directory).reverse()) {
      leftBytes -= files.stat(segmentPath(directory, segment))?.sizeBytes ?? 0;
      if (segment < this.#segment || leftBytes < 0) break;
      first = segment;
    }
    return first;
  }
}
