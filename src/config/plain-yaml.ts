/** YAML to plain values, for files whose shape somebody else checks: target lists. */
import { ConfigDocument, type ConfigNode, isNull } from './document.ts';

/**
 * Scalars stay the text that they were written as, because target lists hold nothing else.
 * @param file  named in errors
 * @throws ConfigError when the text is not YAML
 */
export function parsePlainYaml(text: string, file: string): unknown {
  const { root } = new ConfigDocument(text, file);
  return root === null ? null : plain(root);
}

function plain(node: ConfigNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return isNull(node) ? null : node.text;
    case 'list':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
  }
}
