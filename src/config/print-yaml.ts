/**
 * Plain data to YAML in the style of Go's YAML library, in which Prometheus shows its
 * configuration: two spaces, lists level with their key, strings quoted only where plain text would
 * mean something else, long lines folded after column 80.
 * Source: YAML 1.1 and 1.2 specifications; output of a running Prometheus 3.14.
 */

/** Printed on one line: `[a, b]`. */
export class FlowList {
  readonly items: readonly string[];
  constructor(items: readonly string[]) {
    this.items = items;
  }
}

export type Yaml =
  | null
  | boolean
  | number
  | string
  | FlowList
  | readonly Yaml[]
  | ReadonlyMap<string, Yaml>;

const INDENT = 2;
const LINE_WIDTH = 80;

export function printYaml(value: ReadonlyMap<string, Yaml>): string {
  const out: string[] = [];
  if (value.size === 0) return '{}\n';
  printMap(value, 0, out, '');
  return out.join('');
}

/** @param lead what stands on the first line already: nothing or `- ` */
function printMap(
  map: ReadonlyMap<string, Yaml>,
  indent: number,
  out: string[],
  lead: string,
): void {
  let before = lead;
  for (const [key, value] of map) {
    const start = `${before === '' ? ' '.repeat(indent) : before}${keyText(key)}:`;
    before = '';
    if (isBlockList(value)) {
      out.push(start, '\n');
      printList(value, indent, out);
    } else if (value instanceof Map && value.size > 0) {
      out.push(start, '\n');
      printMap(value, indent + INDENT, out, '');
    } else {
      const column = start.length + 1;
      out.push(start, ' ', leafText(value as Leaf, indent, column), '\n');
    }
  }
}

function printList(list: readonly Yaml[], indent: number, out: string[]): void {
  for (const item of list) {
    const start = `${' '.repeat(indent)}- `;
    if (item instanceof Map && item.size > 0) {
      printMap(item as ReadonlyMap<string, Yaml>, indent + INDENT, out, start);
    } else if (isBlockList(item)) {
      throw new TypeError('lists directly inside lists do not occur in a configuration');
    } else {
      out.push(start, leafText(item as Leaf, indent, start.length), '\n');
    }
  }
}

type Leaf = null | boolean | number | string | FlowList | readonly [] | ReadonlyMap<string, never>;

function isBlockList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value) && value.length > 0;
}

function leafText(value: Leaf, indent: number, column: number): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return stringText(value, indent, column);
  if (value instanceof FlowList) return flowText(value, indent, column);
  if (typeof value === 'object') return Array.isArray(value) ? '[]' : '{}';
  return String(value);
}

function flowText({ items }: FlowList, indent: number, startColumn: number): string {
  let text = '[';
  let column = startColumn + 1;
  items.forEach((item, index) => {
    const piece = quoteIn(item, 'flow') + (index < items.length - 1 ? ',' : ']');
    // A break comes before an item once the line is full, as in folded text.
    if (index > 0) {
      const full = column > LINE_WIDTH;
      const gap = full ? `\n${' '.repeat(indent + INDENT)}` : ' ';
      text += gap;
      column = full ? indent + INDENT : column + 1;
    }
    text += piece;
    column += piece.length;
  });
  return items.length === 0 ? '[]' : text;
}

function keyText(key: string): string {
  return quoteIn(key, 'key');
}

/** Words that YAML 1.1 or 1.2 would read as null, a boolean, a number or a time. */
const OTHER_MEANING = new RegExp(
  [
    '^(?:',
    ['~', 'null', 'Null', 'NULL', '\\.nan', '\\.NaN', '\\.NAN'].join('|'),
    '|[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE',
    '|[-+]?\\.(?:inf|Inf|INF)',
    '|[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)',
    '|[-+]?(?:[0-9][0-9_]*(?:\\.[0-9_]*)?|\\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?',
    '|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\\.[0-9_]*)?',
    '|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \\t]+)[0-9:.]+(?:[ \\t]*(?:Z|[-+][0-9:]+))?)?',
    ')$',
  ].join(''),
);
// What libyaml considers printable: nothing beyond the basic plane.
const UNPRINTABLE = /[^\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const PLAIN_START = /^(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=\S))/;

function stringText(text: string, indent: number, column: number): string {
  if (text.includes('\n') && !UNPRINTABLE.test(text) && !/ \n|^\n*$/.test(text)) {
    return literalText(text, indent);
  }
  if (/^\n+$/.test(text)) return literalText(text, indent);
  return fold(quoteIn(text, 'block'), indent, column);
}

/** Quotes as far as needed, without breaking lines. */
function quoteIn(text: string, place: 'block' | 'flow' | 'key'): string {
  if (text === '' || OTHER_MEANING.test(text)) return doubleQuoted(text);
  if (text.includes('\n') || UNPRINTABLE.test(text)) return doubleQuoted(text);
  const plain =
    PLAIN_START.test(text) &&
    !/^[\s]|\s$|: |:$| #|^(?:---|\.\.\.)|[\x85\u2028\u2029]/.test(text) &&
    !(place === 'flow' && /[,?[\]{}]|:/.test(text));
  return plain ? text : `'${text.replaceAll("'", "''")}'`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
};

function doubleQuoted(text: string): string {
  let quoted = '';
  for (const character of text) {
    const escape = ESCAPES[character];
    if (escape !== undefined) quoted += escape;
    else if (UNPRINTABLE.test(character)) quoted += numericEscape(character.codePointAt(0)!);
    else quoted += character;
  }
  return `"${quoted}"`;
}

function numericEscape(codePoint: number): string {
  const hex = codePoint.toString(16).toUpperCase();
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (codePoint <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}

function literalText(text: string, indent: number): string {
  const body = text.replace(/\n+$/, '');
  const trailing = text.length - body.length;
  const chomping = trailing === 0 ? '-' : trailing === 1 && body !== '' ? '' : '+';
  const indication = /^[ \n]/.test(text) ? String(INDENT) : '';
  const pad = ' '.repeat(indent + INDENT);
  const lines = text.split('\n');
  // The last newline is written by whoever asked.
  if (trailing > 0) lines.pop();
  const padded = lines.map((line) => (line === '' ? '' : pad + line));
  return `|${indication}${chomping}\n${padded.join('\n')}`;
}

/** Breaks at single spaces once a line is longer than the width. */
function fold(text: string, indent: number, startColumn: number): string {
  if (startColumn + text.length <= LINE_WIDTH) return text;
  let folded = '';
  let column = startColumn;
  const last = text.length - 1;
  for (let index = 0; index < text.length; index++) {
    const isSingleSpace = text[index] === ' ' && text[index - 1] !== ' ' && text[index + 1] !== ' ';
    const isInside = index > 1 && index < last - 1;
    if (isSingleSpace && isInside && column > LINE_WIDTH) {
      folded += `\n${' '.repeat(indent + INDENT)}`;
      column = indent + INDENT;
    } else {
      folded += text[index];
      column++;
    }
  }
  return folded;
}

/**
 * The order in which Go's library writes the keys of a map: other characters, then digits, then
 * letters; digits in a row count as one number.
 */
export function compareKeys(a: string, b: string): number {
  const partsOfA = a.match(/\d+|\D/gu) ?? [];
  const partsOfB = b.match(/\d+|\D/gu) ?? [];
  for (let index = 0; index < Math.min(partsOfA.length, partsOfB.length); index++) {
    const [x, y] = [partsOfA[index]!, partsOfB[index]!];
    if (x === y) continue;
    if (keyPartRank(x) !== keyPartRank(y)) return keyPartRank(x) - keyPartRank(y);
    const areNumbers = keyPartRank(x) === 1;
    if (areNumbers && Number(x) !== Number(y)) return Number(x) - Number(y);
    return x < y ? -1 : 1;
  }
  return partsOfA.length - partsOfB.length;
}

function keyPartRank(part: string): number {
  if (/\d/.test(part)) return 1;
  return /\p{L}/u.test(part) ? 2 : 0;
}
