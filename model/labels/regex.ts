/**
 * Regular expressions with RE2's syntax and meaning, anchored at both ends, `.` matching newlines:
 * what Prometheus 3 uses in matchers, relabelling and label_replace.
 */
import { RE2JS } from 're2js';
import { messageOf, ValueError } from '../errors.ts';

export interface CompiledRegex {
  readonly source: string;
  /** Whether the whole text matches. */
  test(text: string): boolean;
  /** Every text that can match, when they are few; lets a lookup replace a scan. */
  readonly literals: readonly string[] | null;
  /** What every matching text begins with; possibly empty. */
  readonly prefix: string;
  /**
   * The groups of a match of the whole text (index 0 is the whole, absent groups are undefined),
   * or null when it does not match.
   */
  match(text: string): readonly (string | undefined)[] | null;
  /** Index of each named group. */
  readonly groupNames: ReadonlyMap<string, number>;
}

/** @throws ValueError with RE2's own words */
export function compileRegex(source: string): CompiledRegex {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(`^(?s:${source})$`);
  } catch (error) {
    throw new ValueError(messageOf(error), { cause: error });
  }
  const groupNames = new Map(Object.entries(compiled.namedGroups()));
  return {
    source,
    literals: null,
    prefix: '',
    groupNames,
    test: (text) => compiled.testExact(text),
    match(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.matches()) return null;
      const groups: (string | undefined)[] = [];
      for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? undefined);
      return groups;
    },
  };
}
