/** The selections of a plan. Nodes that select the same at the same times share one. */
import type { Matcher, SelectHints } from '../../model/index.ts';
import { type LabelNeeds, neededNames } from './label-needs.ts';
import type { Source } from './nodes.ts';

export class SourceTable {
  readonly #byKey = new Map<string, Source>();

  get all(): readonly Source[] {
    return [...this.#byKey.values()];
  }

  find(matchers: readonly Matcher[], hints: SelectHints, needs: LabelNeeds): Source {
    const labelNames = neededNames(matchers, needs);
    const { dropsIdentity } = needs;
    // The parent function is a hint for storage and makes no difference to what is read.
    const key = `${hints.minMs} ${hints.maxMs} ${matchers.join(',')}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.useCount++;
      known.labelNames =
        known.labelNames === null || labelNames === null
          ? null
          : known.labelNames.union(labelNames);
      known.dropsIdentity ||= dropsIdentity;
      return known;
    }
    const source: Source = { matchers, hints, labelNames, dropsIdentity, useCount: 1 };
    this.#byKey.set(key, source);
    return source;
  }

  /** From the first to the last time that is read; null when nothing is. */
  span(): { minMs: number; maxMs: number } | null {
    let span: { minMs: number; maxMs: number } | null = null;
    for (const { hints } of this.#byKey.values()) {
      span ??= { minMs: hints.minMs, maxMs: hints.maxMs };
      span.minMs = Math.min(span.minMs, hints.minMs);
      span.maxMs = Math.max(span.maxMs, hints.maxMs);
    }
    return span;
  }
}
