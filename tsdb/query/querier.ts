/** A query over head and blocks. What only one of them holds is answered by it alone. */
import type {
  LabelTexts,
  Matcher,
  Querier,
  SelectedSeries,
  SelectHints,
} from '../../model/index.ts';
import type { Block } from '../block/block.ts';
import { byPrecedence, isLate } from '../block/precedence.ts';
import type { HeadQuery } from '../head/head-reader.ts';
import { BlockQuerier } from './block-querier.ts';
import { mergeSelected, mergeTexts } from './merge-series.ts';

export class DbQuerier implements Querier {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #head: HeadQuery | null;
  /** Those that count before others first. */
  readonly #blocks: readonly BlockQuerier[];
  readonly #lateBlockCount: number;
  readonly #warnings: readonly string[];
  readonly #release: () => void;
  #isOpen = true;

  /**
   * @param blocks    those that overlap [minMs, maxMs]
   * @param warnings  of every answer
   */
  constructor(
    minMs: number,
    maxMs: number,
    head: HeadQuery | null,
    blocks: readonly Block[],
    release: () => void,
    warnings: readonly string[] = [],
  ) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#head = head;
    const sorted = byPrecedence(blocks);
    this.#blocks = sorted.map((block) => new BlockQuerier(block));
    this.#lateBlockCount = sorted.filter(({ meta }) => isLate(meta)).length;
    this.#warnings = warnings;
    this.#release = release;
  }

  select(matchers: readonly Matcher[], hints: SelectHints): SelectedSeries {
    const minMs = Math.max(this.#minMs, hints.minMs);
    const maxMs = Math.min(this.#maxMs, hints.maxMs);
    const sources: SelectedSeries[] = [];
    // Rows of several sources are brought together by all their labels.
    const isAlone = this.#blocks.length + (this.#head === null ? 0 : 1) === 1;
    const { labelNames: _, ...wholeHints } = hints;
    const own = isAlone ? hints : wholeHints;
    for (const block of this.#blocks) sources.push(block.select(matchers, minMs, maxMs, own));
    if (this.#head !== null) {
      const rows = this.#head.select(matchers, minMs, maxMs, own);
      // Late samples that are in blocks came before those in the head that are late, too, but after
      // those in order.
      const late = this.#lateBlockCount;
      if (late === 0 || !rows.hasLate) sources.splice(late, 0, rows);
      else
        sources.splice(
          0,
          late,
          rows.only('late'),
          ...sources.slice(0, late),
          rows.only('in-order'),
        );
    }
    const merged = mergeSelected(sources, hints.limit ?? 0);
    if (this.#warnings.length === 0) return merged;
    return {
      labels: merged.labels,
      warnings: [...this.#warnings, ...merged.warnings],
      read: (row, fromMs, toMs, out) => merged.read(row, fromMs, toMs, out),
    };
  }

  labelNames(matchers: readonly Matcher[], limit = 0): LabelTexts {
    const lists = this.#blocks.map((block) => block.labelNames(matchers));
    if (this.#head !== null) lists.push(this.#head.labelNames(matchers));
    return { texts: mergeTexts(lists, limit), warnings: this.#warnings };
  }

  labelValues(name: string, matchers: readonly Matcher[], limit = 0): LabelTexts {
    const lists = this.#blocks.map((block) => block.labelValues(name, matchers));
    if (this.#head !== null) lists.push(this.#head.labelValues(name, matchers));
    return { texts: mergeTexts(lists, limit), warnings: this.#warnings };
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#release();
  }
}
