/** What a flag is: one entry of the table in flag-table.ts. */
import type { ValueKind } from './values.ts';

/** Headings of the help, in this order. */
export const FLAG_GROUPS = [
  'General',
  'Web',
  'Storage',
  'Agent',
  'Remote storage',
  'Rules and alerts',
  'Query',
  'Scraping',
  'Runtime',
  'Logging',
] as const;
export type FlagGroup = (typeof FLAG_GROUPS)[number];

type Common = {
  readonly group: FlagGroup;
  readonly help: string;
  /** Left out of the help: internal or for tests, as Prometheus hides them. */
  readonly hidden?: boolean;
  /** Only allowed in this mode. */
  readonly mode?: 'server' | 'agent';
  /** Accepted, so that scripts keep working, but without effect; the text says why. */
  readonly withoutEffect?: string;
  /** Prometheus does not know it. Left out of /api/v1/status/flags unless it was given. */
  readonly ours?: boolean;
};

export type SwitchFlag = Common & { readonly type: 'switch'; readonly initial: boolean };

/** A flag with one value. `initial` is undefined where "not given" differs from every value. */
export type ValueFlag<T, Initial extends T | undefined = T | undefined> = Common & {
  readonly type: 'value';
  readonly kind: ValueKind<T>;
  readonly initial: Initial;
  readonly placeholder?: string;
};

/** May be given several times. What is given replaces `initial`. */
export type ListFlag<T> = Common & {
  readonly type: 'list';
  readonly kind: ValueKind<T>;
  readonly initial: readonly T[];
};

export type Flag = SwitchFlag | ValueFlag<unknown> | ListFlag<unknown>;

export function toggle(initial: boolean, common: Common): SwitchFlag {
  return { type: 'switch', initial, ...common };
}

export function value<T>(
  kind: ValueKind<T>,
  initial: T,
  common: Common & { placeholder?: string },
): ValueFlag<T, T> {
  return { type: 'value', kind, initial, ...common };
}

/** A value whose default depends on other settings. */
export function optional<T>(
  kind: ValueKind<T>,
  common: Common & { placeholder?: string },
): ValueFlag<T, undefined> {
  return { type: 'value', kind, initial: undefined, ...common };
}

export function list<T>(kind: ValueKind<T>, initial: readonly T[], common: Common): ListFlag<T> {
  return { type: 'list', kind, initial, ...common };
}
