/** What both versions of remote write have in common, once they are read. */
import type { Fingerprint } from './fingerprint.ts';
import type { WriteColumns } from './write-columns.ts';

export interface WriteMessage {
  /**
   * Fills `columns`, which has to be empty, from a whole request. The bytes must stay as they are
   * until the request is dealt with.
   * @throws WireError when the message is malformed anywhere but inside labels
   */
  read(bytes: Uint8Array, columns: WriteColumns): void;
  /** Of the labels of a series. False: it is found by its labels, or they are wrong. */
  fingerprint(series: number, out: Fingerprint): boolean;
  /**
   * Names and values by turns, as sent.
   * @throws WireError   the message is malformed
   * @throws ValueError  this series has to be refused, with this reason; the others do not
   */
  labels(series: number): string[];
}
