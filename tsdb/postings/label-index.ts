/**
 * What matching needs to know of a source of series: which series a label pair has. Head and blocks
 * both are such a source; the set algebra over it is written once, in query/match-postings.ts.
 *
 * Postings are references of series, ascending, without duplicates. Callers do not change them: a
 * source may hand out what it keeps.
 */
import type { AnswerMemo } from './answer-memo.ts';

export type Postings = Uint32Array;

export const NO_POSTINGS: Postings = new Uint32Array(0);

export interface LabelIndex {
  /** Where answers may be kept; sources that change have none. */
  readonly memo?: AnswerMemo;
  /** All series. */
  allPostings(): Postings;
  /** The series with this pair. */
  postings(name: string, value: string): Postings;
  /** About how many {@link postings} would give, cheaply; used to begin with the rarest. */
  postingsCount(name: string, value: string): number;
  /**
   * The series whose value of `name` satisfies `test`, which is asked once per value; series without
   * the label are not among them. `prefix` is what every value that can satisfy begins with.
   */
  postingsMatching(name: string, test: (value: string) => boolean, prefix: string): Postings;
  /** The series that have the label at all. */
  postingsWithName(name: string): Postings;
  /** Sorted. */
  labelNames(): readonly string[];
  /** Sorted; none when no series has the label. */
  labelValues(name: string): readonly string[];
  /** How many values the label has; lets matching choose between values and series. */
  labelValueCount?(name: string): number;
  /**
   * Those of `refs` whose value of `name` satisfies `test` (an absent label has the empty value), by
   * looking at the series. Sources that can do that cheaply let a rare metric with a busy label be
   * found without testing every value of that label.
   */
  filter?(refs: Postings, name: string, test: (value: string) => boolean): Postings;
}
