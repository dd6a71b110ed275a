/**
 * Matchers to series: the set algebra, cheapest part first.
 *
 * A matcher that an absent label does not satisfy (`job="api"`, `job=~"a.+"`, `job!=""`) names the series
 * it wants: these sets are intersected, beginning with the smallest. One that an absent label does
 * satisfy (`job!="api"`, `job=~"|api"`) names the series it does not want: these are taken away.
 * A regular expression is tested once per value of its label; when few series are left by then and the
 * label has many values, the series are looked at instead.
 */
import type { Matcher } from '../../model/index.ts';
import { matchersKey } from '../postings/answer-memo.ts';
import { intersect } from '../postings/intersect.ts';
import { type LabelIndex, NO_POSTINGS, type Postings } from '../postings/label-index.ts';
import { merge } from '../postings/merge.ts';
import { without } from '../postings/without.ts';

/** Looking at a series costs about as much as testing so many values. */
const VALUES_PER_SERIES = 4;

/** The series that satisfy all matchers; all series when there are none. */
export function matchPostings(index: LabelIndex, matchers: readonly Matcher[]): Postings {
  const { memo } = index;
  // A single matcher mostly has a list of its own.
  if (memo === undefined || matchers.length < 2) return findPostings(index, matchers);
  const key = matchersKey(matchers);
  let found = memo.postings.get(key);
  if (found === undefined) {
    found = findPostings(index, matchers);
    // Results are cut from larger arrays, which need not be kept for them.
    if (found.length * 8 < found.buffer.byteLength) found = found.slice();
    memo.postings.set(key, found);
  }
  return found;
}

function findPostings(index: LabelIndex, matchers: readonly Matcher[]): Postings {
  const wanted: Matcher[] = [];
  const unwanted: Matcher[] = [];
  for (const matcher of matchers) {
    if (!matcher.matchesEmpty) wanted.push(matcher);
    else if (!matchesEverything(matcher)) unwanted.push(matcher);
  }

  let found: Postings | null = null;
  for (const { matcher } of byCost(index, wanted)) {
    if (found !== null && isBetterFiltered(index, found, matcher)) {
      found = index.filter!(found, matcher.name, (value) => matcher.matches(value));
    } else {
      const postings = wantedPostings(index, matcher);
      found = found === null ? postings : intersect(found, postings);
    }
    if (found.length === 0) return NO_POSTINGS;
  }

  found ??= index.allPostings();
  for (const matcher of unwanted) {
    if (found.length === 0) break;
    if (isBetterFiltered(index, found, matcher)) {
      found = index.filter!(found, matcher.name, (value) => matcher.matches(value));
    } else {
      found = without(found, unwantedPostings(index, matcher));
    }
  }
  return found;
}

/** Equalities by how many series they have, then the others. */
function byCost(
  index: LabelIndex,
  matchers: readonly Matcher[],
): { readonly matcher: Matcher; readonly cost: number }[] {
  const costs = matchers.map((matcher) => ({ matcher, cost: costOf(index, matcher) }));
  return costs.sort((a, b) => a.cost - b.cost);
}

function costOf(index: LabelIndex, { name, operator, value, regex }: Matcher): number {
  if (operator === '=') return index.postingsCount(name, value);
  const { literals = null } = regex ?? {};
  if (operator === '=~' && literals !== null) {
    let count = 0;
    for (const literal of literals) count += index.postingsCount(name, literal);
    return count;
  }
  return Number.POSITIVE_INFINITY;
}

function wantedPostings(index: LabelIndex, matcher: Matcher): Postings {
  const { name, operator, value, regex } = matcher;
  switch (operator) {
    case '=':
      return index.postings(name, value);
    case '!=': // only `!=""` comes here
      return index.postingsWithName(name);
    case '=~':
      if (regex!.source === '.+') return index.postingsWithName(name);
      if (regex!.literals !== null) return postingsOfAny(index, name, regex!.literals);
      return index.postingsMatching(name, (text) => regex!.test(text), regex!.prefix);
    case '!~':
      return index.postingsMatching(name, (text) => !regex!.test(text), '');
  }
}

/** The series that do not satisfy a matcher which an absent label satisfies. */
function unwantedPostings(index: LabelIndex, matcher: Matcher): Postings {
  const { name, operator, value, regex } = matcher;
  switch (operator) {
    case '=': // only `=""` comes here
      return index.postingsWithName(name);
    case '!=':
      return index.postings(name, value);
    case '=~':
      return index.postingsMatching(name, (text) => !regex!.test(text), '');
    case '!~':
      if (regex!.literals !== null) return postingsOfAny(index, name, regex!.literals);
      return index.postingsMatching(name, (text) => regex!.test(text), regex!.prefix);
  }
}

function postingsOfAny(index: LabelIndex, name: string, values: readonly string[]): Postings {
  return merge(values.map((value) => index.postings(name, value)));
}

function matchesEverything({ operator, regex }: Matcher): boolean {
  return operator === '=~' && regex!.source === '.*';
}

/** Whether to look at the series found so far instead of at the values of the label. */
function isBetterFiltered(index: LabelIndex, found: Postings, matcher: Matcher): boolean {
  if (index.filter === undefined || index.labelValueCount === undefined) return false;
  const { operator, regex } = matcher;
  const isScan = (operator === '=~' || operator === '!~') && regex!.literals === null;
  return isScan && found.length * VALUES_PER_SERIES < index.labelValueCount(matcher.name);
}
