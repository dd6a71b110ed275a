/**
 * The shape of the configuration as a JSON Schema, for editors: completion, and unknown keys and
 * wrong kinds of values marked while somebody writes. What goes across keys only loading checks.
 * Source: JSON Schema, draft 2020-12.
 */
export type JsonSchema = {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
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

/** The same schema with every mapping that occurs more than once in `$defs`, named by its key. */
export function withDefinitions(root: JsonSchema): JsonSchema {
  const counts = new Map<string, number>();
  const count = (schema: JsonSchema): void => {
    if (schema.properties !== undefined) {
      const text = JSON.stringify(schema);
      const before = counts.get(text) ?? 0;
      counts.set(text, before + 1);
      if (before > 0) return;
    }
    for (const [, below] of childrenOf(schema)) count(below);
  };
  count(root);

  const definitions: Record<string, JsonSchema> = {};
  const names = new Map<string, string>();
  const rewrite = (schema: JsonSchema, key: string): JsonSchema => {
    const text = schema.properties === undefined ? '' : JSON.stringify(schema);
    const known = names.get(text);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    const { items, properties, additionalProperties: others } = schema;
    const written: JsonSchema = {
      ...schema,
      ...(items === undefined ? {} : { items: rewrite(items, key) }),
      ...(properties === undefined
        ? {}
        : {
            properties: Object.fromEntries(
              Object.entries(properties).map(([name, below]) => [name, rewrite(below, name)]),
            ),
          }),
      ...(others === undefined || others === false
        ? {}
        : { additionalProperties: rewrite(others, key) }),
    };
    if (text === '' || counts.get(text) === 1) return written;
    let name = key;
    for (let i = 2; definitions[name] !== undefined; i++) name = `${key}_${i}`;
    definitions[name] = written;
    names.set(text, name);
    return { $ref: `#/$defs/${name}` };
  };
  return { ...rewrite(root, 'root'), $defs: definitions };
}

function childrenOf({ items, properties, additionalProperties: others }: JsonSchema) {
  const below: [string, JsonSchema][] = Object.entries(properties ?? {});
  if (items !== undefined) below.push(['items', items]);
  if (others !== undefined && others !== false) below.push(['others', others]);
  return below;
}
