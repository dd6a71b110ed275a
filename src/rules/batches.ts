/**
 * Which rules of a group may be evaluated at the same time: those of which none reads what another
 * one writes, so that the result is that of one after the other.
 */
import type { RuleDefinition } from './rule-definition.ts';

const ALERT_METRICS = ['ALERTS', 'ALERTS_FOR_STATE'];

function writtenBy(rule: RuleDefinition): readonly string[] {
  return rule.type === 'recording' ? [rule.name] : ALERT_METRICS;
}

function reads(reader: RuleDefinition, writer: RuleDefinition): boolean {
  const { reads: names } = reader;
  return names === null || writtenBy(writer).some((name) => names.has(name));
}

function isApart(a: RuleDefinition, b: RuleDefinition): boolean {
  // Of two that record under one name, the order may decide.
  const isSame = a.type === 'recording' && b.type === 'recording' && a.name === b.name;
  return !isSame && !reads(a, b) && !reads(b, a);
}

/** The rules in their order, cut where one has to wait for those before it. */
export function batchesOf<R extends { readonly definition: RuleDefinition }>(
  rules: readonly R[],
): readonly (readonly R[])[] {
  const batches: R[][] = [];
  for (const rule of rules) {
    const batch = batches.at(-1);
    if (batch?.every(({ definition }) => isApart(definition, rule.definition)) === true) {
      batch.push(rule);
    } else batches.push([rule]);
  }
  return batches;
}

/** Lets at most `countMax` pieces of work be under way. */
export class WorkLimit {
  #freeCount: number;
  readonly #queue: (() => void)[] = [];

  constructor(countMax: number) {
    this.#freeCount = Math.max(1, countMax);
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#freeCount > 0) this.#freeCount--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the next one without becoming free.
      const next = this.#queue.shift();
      if (next === undefined) this.#freeCount++;
      else next();
    }
  }
}
