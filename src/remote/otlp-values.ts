/** Attribute values as label values: scalars as they are, the rest as JSON, both as Go writes them. */

/** Integers keep their digits: they may have more than a number holds. */
export type AttributeValue =
  | null
  | string
  | boolean
  | number
  | { readonly integer: string }
  | readonly AttributeValue[]
  | ReadonlyMap<string, AttributeValue>;

export function attributeText(value: AttributeValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (isInteger(value)) return value.integer;
  // JSON knows no other numbers, and a label without value is none.
  return hasOnlyFinite(value) ? jsonOf(value) : '';
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function hasOnlyFinite(value: AttributeValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (value instanceof Map) {
    return [...(value as ReadonlyMap<string, AttributeValue>).values()].every(hasOnlyFinite);
  }
  return !Array.isArray(value) || (value as AttributeValue[]).every(hasOnlyFinite);
}

function isInteger(value: object): value is { readonly integer: string } {
  return 'integer' in value;
}

function jsonOf(value: AttributeValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return textJson(value);
  if (typeof value === 'boolean' || typeof value === 'number') return attributeText(value);
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, AttributeValue>)].toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    );
    return `{${entries.map(([key, item]) => `${textJson(key)}:${jsonOf(item)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${(value as AttributeValue[]).map(jsonOf).join(',')}]`;
  return (value as { readonly integer: string }).integer;
}

function textJson(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u2028\u2029]/g, (char) =>
    char === '\u2028' ? '\\u2028' : '\\u2029',
  );
}
