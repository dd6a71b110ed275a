/**
 * The shape of the configuration as a JSON Schema, for editors: completion, and unknown keys and
 * wrong kinds of values marked while somebody writes. What goes across keys only loading checks.
 * Source: JSON Schema, draft 2020-12.
 */
export type JsonSchema = {
  readonly $schema?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | null)[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly description?: string;
  readonly default?: string | number | boolean;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
};

/** A plain scalar of any kind is fine as a text, and nothing counts as an absent key. */
export const TEXT_SCHEMA: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] };

/** @param kind  as JSON Schema calls it */
export function orNull(kind: string): readonly string[] {
  return [kind, 'null'];
}
