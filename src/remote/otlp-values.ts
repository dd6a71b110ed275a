/** Attribute values as label values: scalars as they are, the rest as JSON. */
import { formatFloat } from '../../model/index.ts';

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
  if (typeof value === 'number') return formatFloat(value);
  if (isInteger(value)) return value.integer;
  return jsonOf(value);
}

function isInteger(value: object): value is { readonly integer: string } {
  return 'integer' in value;
}

function jsonOf(value: AttributeValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean' || typeof value === 'number') return attributeText(value);
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, AttributeValue>)].toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    );
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${jsonOf(item)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${(value as AttributeValue[]).map(jsonOf).join(',')}]`;
  return (value as { readonly integer: string }).integer;
}
