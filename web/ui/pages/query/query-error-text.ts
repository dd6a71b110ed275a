/** Reads the server's error texts for where and for what to do. Pure. */

/** Where an error text such as `1:5: parse error: …` points to in `expr`. */
export function errorPlace(
  message: string,
  expr: string,
): { line: string; column: number } | undefined {
  const found = /(\d+):(\d+): parse error/.exec(message);
  if (found === null) return undefined;
  const line = expr.split('\n')[Number(found[1]) - 1];
  const column = Number(found[2]);
  if (line === undefined || column < 1 || column > line.length + 1) return undefined;
  return { line, column };
}

export type Hint = { text: string; resolution?: 'auto' };

const HINTS: readonly [RegExp, Hint][] = [
  [
    /exceeded maximum resolution/,
    {
      text: 'The step is too fine for so long a range. A coarser step shows the same curve.',
      resolution: 'auto',
    },
  ],
  [
    /too many samples/,
    {
      text: 'It reads more samples than --query.max-samples allows at once. A shorter range, more matchers or a recording rule reduce them.',
    },
  ],
  [
    /query timed out|context deadline exceeded/,
    { text: 'The limit is --query.timeout. A shorter range or more matchers make it quicker.' },
  ],
  [
    /many-to-many matching not allowed|found duplicate series for the match group/,
    {
      text: 'Several series on one side share the labels that are compared. Name more labels in on(…), or sum them away before.',
    },
  ],
  [
    /multiple matches for labels/,
    {
      text: 'One series on one side meets many on the other. Say which side is the many: group_left or group_right.',
    },
  ],
  [
    /expected type range vector/,
    { text: 'Functions such as rate need a range: add one in square brackets, such as [5m].' },
  ],
  [
    /invalid expression type "range vector" for range query/,
    { text: 'A range such as [5m] cannot be drawn. Wrap it in a function, or look at the table.' },
  ],
  [
    /vector selector must contain at least one non-empty matcher/,
    { text: 'A selector must name a metric, or a label value that is not empty.' },
  ],
];

export function hintFor(message: string): Hint | undefined {
  return HINTS.find(([pattern]) => pattern.test(message))?.[1];
}
