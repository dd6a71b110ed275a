/**
 * Plain data as YAML: block style for what has content, and JSON's quotes for every text, which YAML
 * reads as it is. Undefined members are left out.
 */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

export function toYaml(value: PlainValue): string {
  return `${blockText(value, 0).trimStart()}\n`;
}

/** Begins with a line break and indentation, or with a space when it fits the line of its key. */
function blockText(value: PlainValue, depth: number): string {
  const indent = `\n${'  '.repeat(depth)}`;
  if (Array.isArray(value)) {
    const items = value as readonly PlainValue[];
    if (items.length === 0) return ' []';
    return items.map((item) => `${indent}-${itemText(item, depth + 1)}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    if (members.length === 0) return ' {}';
    return members
      .map(([key, member]) => `${indent}${keyText(key)}:${blockText(member, depth + 1)}`)
      .join('');
  }
  return ` ${JSON.stringify(value)}`;
}

/** The first member of an object stands on the line of its dash. */
function itemText(item: PlainValue, depth: number): string {
  return blockText(item, depth).replace(/^\n */, ' ');
}

function keyText(key: string): string {
  return /^[A-Za-z$_][\w$-]*$/.test(key) ? key : JSON.stringify(key);
}
