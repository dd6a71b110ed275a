/** The known name that somebody probably meant, or undefined when none is near. */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  // A third of the letters may be wrong; more than that is another word.
  let nearestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1;
  let nearest: string | undefined;
  for (const name of known) {
    const distance = editDistance(typed, name, nearestDistance);
    if (distance < nearestDistance) {
      nearestDistance = distance;
      nearest = name;
    }
  }
  return nearest;
}

/** Insertions, deletions, replacements and swaps of neighbours; `limit` when there are as many. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        above[column]! + 1,
        current[column - 1]! + 1,
        above[column - 1]! + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) {
        distance = Math.min(distance, twoAbove[column - 2]! + 1);
      }
      current.push(distance);
    }
    twoAbove = above;
    above = current;
  }
  return Math.min(limit, above[b.length]!);
}
