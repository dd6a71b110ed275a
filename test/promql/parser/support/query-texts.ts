/** Random query texts, right and wrong, for comparing two parsers. */

/** A small generator with a seed, so that a run can be repeated (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const WORDS =
  `foo a:b 5 5m 1.5 "s" 't' \`u\` ( ) { } [ ] , = == != =~ !~ < > <= >= </ >/ + - * / % ^
@ : and or unless atan2 by without on ignoring group_left group_right bool offset sum topk
count_values quantile limitk rate start end step range min_of max_of anchored smoothed fill
fill_left fill_right inf nan é $ . [5m] [5m:1m] [5m:] {a="b"} offset(1+2) step() 0x1f 1e3 info
time() "\\x41" "\\q" "" {} label_replace {__name__="x"} [0] 1/0 nosuch(1) ({ }) #c`.split(/\s+/);
const CHARACTERS = Array.from('abz019 _-+*/(){}[],"\'`\\=~!<>@:#.\n\té$x');
const ATOMS = `foo foo{a="b"} a:b {"qr"} sum 5 1.5e3 1h30m "s" time() start() step()
foo{a=~"x.*",b!="c"} NaN -Inf by on end fill {a=~"x|"} {}`.split(/\s+/);
const DURATIONS = '5m 1h30m 90 0.5 1e3 0x10 step() range() 0 1w 0.0015'.split(' ');
const OPERATORS = '+ - * / % ^ == != < > <= >= </ >/ and or unless atan2'.split(' ');
const MODIFIERS = [
  '',
  '',
  '',
  ' bool',
  ' on(a)',
  ' ignoring (b,c)',
  ' on() group_left',
  ' fill(0)',
  ' ignoring(x) group_right(y)',
  ' on(a) group_left(b,)',
  ' bool on (a)',
  ' fill_left(-1)',
  ' on(a) fill_right(2) fill_left (5m)',
];
const FUNCTION_NAMES =
  `rate abs histogram_quantile label_replace round info clamp time scalar vector
histogram_quantiles label_join sort_by_label nosuch max_of predict_linear`.split(/\s+/);
const AGGREGATIONS = 'sum avg topk quantile count_values SUM limitk group'.split(' ');

/** A query that has the form of one; whether its types fit is left to chance. */
export function randomQuery(random: Random, depth = 3): string {
  const pick = (...options: string[]) => random.pick(options);
  const inner = () => randomQuery(random, depth - 1);
  if (depth === 0 || random.next() < 0.15) return random.pick(ATOMS);
  const space = pick('', ' ', ' ', '\n');
  switch (random.below(9)) {
    case 0: {
      const param = random.next() < 0.4 ? `${pick('5', '"l"', '0.9', inner())}, ` : '';
      const before = pick('', ' by (x) ', ' without (a,b)', '');
      const behind = pick('', '', ' by (y)', ' without ("a b")');
      return `${random.pick(AGGREGATIONS)}${before}${space}(${param}${inner()})${behind}`;
    }
    case 1:
    case 2: {
      const operator = random.pick(OPERATORS) + random.pick(MODIFIERS);
      return `${inner()}${space || ' '}${operator} ${inner()}`;
    }
    case 3: {
      const step = pick('', '', ':', `:${randomDuration(random, 1)}`);
      return `${inner()}[${randomDuration(random, 2)}${step}]`;
    }
    case 4: {
      const duration = randomDuration(random, 1);
      return `${inner()} offset ${pick(duration, `-${duration}`, `(${duration})`)}`;
    }
    case 5:
      return `${inner()} @ ${pick('5', '-3.5', 'start()', 'end()', '1e10', '1h', 'inf', 'step()')}`;
    case 6:
      return pick(`${inner()} anchored`, `${inner()} smoothed`, `-${inner()}`, `+${inner()}`);
    case 7:
      return `(${inner()})`;
    default: {
      const args = Array.from({ length: random.below(4) }, inner).join(`,${space}`);
      return `${random.pick(FUNCTION_NAMES)}(${args}${random.next() < 0.05 ? ',' : ''})`;
    }
  }
}

function randomDuration(random: Random, depth: number): string {
  if (depth === 0 || random.next() < 0.5) return random.pick(DURATIONS);
  const inner = () => randomDuration(random, depth - 1);
  switch (random.below(4)) {
    case 0:
      return `(${inner()})`;
    case 1:
      return random.pick(['-', '+']) + inner();
    case 2:
      return `${random.pick(['min_of', 'max_of'])}(${inner()}, ${inner()})`;
    default:
      return `${inner()} ${random.pick(['+', '-', '*', '/', '%', '^'])} ${inner()}`;
  }
}

/** Damages a query in one to three places. */
export function mutateQuery(random: Random, query: string): string {
  let text = query;
  for (let count = 1 + random.below(3); count > 0; count--) text = mutateOnce(random, text);
  return text;
}

const PARTS = /[a-zA-Z_:][\w:]*|\d[\w.]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\s+|./gsu;

function mutateOnce(random: Random, query: string): string {
  const parts = query.match(PARTS) ?? [];
  const at = random.below(parts.length + 1);
  const characterAt = random.below(query.length + 1);
  switch (random.below(8)) {
    case 0:
    case 1:
      parts.splice(at, 0, ` ${random.pick(WORDS)} `);
      break;
    case 2:
      parts.splice(at, 1);
      break;
    case 3:
      parts.splice(at, 1, random.pick(WORDS));
      break;
    case 4:
      parts.splice(at, 0, ...parts.slice(at, at + 2));
      break;
    case 5:
      return query.slice(0, characterAt) + random.pick(CHARACTERS) + query.slice(characterAt);
    case 6:
      return query.slice(0, characterAt) + query.slice(characterAt + 1);
    default:
      return query.slice(0, characterAt);
  }
  return parts.join('');
}
