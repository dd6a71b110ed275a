/**
 * Finding names and values that are like what somebody types. Depends on model alone, so that a
 * query worker can load it.
 * Source: Prometheus HTTP API, searching metric names, label names, and label values; how likeness
 * is counted was measured on 3.14.
 */

export type TextSearch = {
  /** A text counts when it is like any of these; none, or only empty ones, means all texts. */
  readonly terms: readonly string[];
  /** How alike a text has to be, 0 to 1. */
  readonly scoreMin: number;
  readonly algorithm: 'subsequence' | 'jarowinkler';
  readonly isCaseSensitive: boolean;
  readonly order: 'ascending' | 'descending' | 'score';
  /** At most so many. */
  readonly limit: number;
};

export type FoundText = { readonly text: string; readonly score: number };

/** @param texts  sorted */
export function searchTexts(
  texts: readonly string[],
  search: TextSearch,
): { readonly found: readonly FoundText[]; readonly hasMore: boolean } {
  const { isCaseSensitive, limit, order } = search;
  const fold = (text: string) => (isCaseSensitive ? text : text.toLowerCase());
  const terms = search.terms.filter((term) => term !== '').map(fold);
  const likeness = search.algorithm === 'subsequence' ? subsequenceOf : similarityOf;
  const found: FoundText[] = [];
  for (let i = 0; i < texts.length; i++) {
    // In the order of the texts the first ones will do, and one more that tells that there are more.
    if (found.length > limit && order !== 'score') break;
    const text = texts[order === 'descending' ? texts.length - 1 - i : i]!;
    const score = terms.length === 0 ? 1 : bestScore(fold(text), terms, likeness, search.scoreMin);
    if (score >= 0) found.push({ text, score });
  }
  // Sorting is stable, so equal scores stay in the order of the texts.
  if (order === 'score') found.sort((a, b) => b.score - a.score);
  return { found: found.slice(0, limit), hasMore: found.length > limit };
}

/** Of one text and one term; negative when it is not like enough. */
type Likeness = (text: string, term: string, scoreMin: number) => number;

function bestScore(
  text: string,
  terms: readonly string[],
  likeness: Likeness,
  scoreMin: number,
): number {
  let best = -1;
  for (const term of terms) best = Math.max(best, likeness(text, term, scoreMin));
  return best;
}

/** What is no beginning can be as good as this. */
const INNER_SCORE_MAX = 0.999;

/**
 * The letters of the term in their order, anywhere in the text. Long runs count for more: the sum of
 * the squares of their lengths, less the share of the text that is skipped (half of it behind the
 * last letter), relative to one single run.
 */
function subsequenceOf(text: string, term: string, scoreMin: number): number {
  if (text.startsWith(term)) return 1;
  const letters = lettersOf(text);
  const wanted = lettersOf(term);
  let best = -1;
  for (let start = 0; start + wanted.length <= letters.length; start++) {
    if (letters[start] !== wanted[0]) continue;
    const score = scoreFrom(start, letters, wanted);
    // From here on not all of the term is to be found.
    if (score === null) break;
    best = Math.max(best, score);
  }
  if (best < 0) return -1;
  const score = (best / (wanted.length * wanted.length)) * INNER_SCORE_MAX;
  return score >= scoreMin ? score : -1;
}

/** Takes every letter at the first place where it is to be found; null when one is missing. */
function scoreFrom(
  start: number,
  letters: readonly string[],
  wanted: readonly string[],
): number | null {
  const share = 1 / letters.length;
  // Added up in this order, because the last digits are compared by tests.
  let score = -start * share;
  let run = 1;
  let at = start;
  for (let i = 1; i < wanted.length; i++) {
    const next = letters.indexOf(wanted[i]!, at + 1);
    if (next < 0) return null;
    if (next === at + 1) {
      run++;
    } else {
      score += run * run;
      score -= (next - at - 1) * share;
      run = 1;
    }
    at = next;
  }
  score += run * run;
  return score - ((letters.length - 1 - at) * share) / 2;
}

/** How much the place of a term within a text can cost. */
const PLACE_WEIGHT = 0.9;

/** Texts with the term in them, the earlier the better; others by Jaro's and Winkler's likeness. */
function similarityOf(text: string, term: string, scoreMin: number): number {
  const at = text.indexOf(term);
  if (at === 0) return 1;
  if (at > 0) {
    const before = lettersOf(text.slice(0, at)).length;
    const other = lettersOf(text).length - lettersOf(term).length;
    return 1 - (PLACE_WEIGHT * before) / other;
  }
  if (scoreMin <= 0) return -1;
  const score = jaroWinkler(lettersOf(text), lettersOf(term));
  return score >= scoreMin ? score : -1;
}

const PREFIX_LENGTH_MAX = 4;
const PREFIX_WEIGHT = 0.1;

/** Source: W. E. Winkler, "String Comparator Metrics and Enhanced Decision Rules" (1990). */
export function jaroWinkler(a: readonly string[], b: readonly string[]): number {
  const jaro = jaroOf(a, b);
  let prefix = 0;
  while (prefix < PREFIX_LENGTH_MAX && prefix < a.length && a[prefix] === b[prefix]) prefix++;
  return jaro + prefix * PREFIX_WEIGHT * (1 - jaro);
}

function jaroOf(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Uint8Array(b.length);
  const matchesOfA: string[] = [];
  a.forEach((letter, i) => {
    const end = Math.min(b.length, i + reach + 1);
    for (let j = Math.max(0, i - reach); j < end; j++) {
      if (taken[j] === 1 || b[j] !== letter) continue;
      taken[j] = 1;
      matchesOfA.push(letter);
      break;
    }
  });
  const matchCount = matchesOfA.length;
  if (matchCount === 0) return 0;
  const matchesOfB = b.filter((_, j) => taken[j] === 1);
  const displaced = matchesOfA.filter((letter, i) => letter !== matchesOfB[i]).length;
  const transposed = displaced / 2;
  return (
    (matchCount / a.length + matchCount / b.length + (matchCount - transposed) / matchCount) / 3
  );
}

function lettersOf(text: string): readonly string[] {
  return Array.from(text);
}
