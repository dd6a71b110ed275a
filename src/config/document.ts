/**
 * YAML text to nodes that know their place, reduced to what configuration files need: scalars keep
 * their source text, because what `0x10`, `yes` or `1_000` means depends on the type that is wanted
 * there. Aliases and merge keys (`<<`) are resolved. Only the first document counts.
 */
import path from 'node:path';
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { ConfigError, quoteText } from '../../model/index.ts';

export type ScalarNode = {
  readonly kind: 'scalar';
  readonly offset: number;
  readonly text: string;
  /** Without quotes, so that it may mean null, a number or a boolean. */
  readonly plain: boolean;
  /** Set when a `!!binary` value is not UTF-8: its quoted form. */
  readonly notUtf8?: string;
};
export type ListNode = {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly ConfigNode[];
};
export type MapEntry = {
  readonly key: string;
  readonly offset: number;
  readonly value: ConfigNode;
};
export type MapNode = {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: readonly MapEntry[];
};
export type ConfigNode = ScalarNode | ListNode | MapNode;

export function isNull(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.plain && /^(?:~|null|Null|NULL|)$/.test(node.text);
}

/** Stops "billion laughs" files: aliases may not blow a file up by more than this many nodes. */
const ALIASED_NODE_COUNT_MAX = 200_000;

/** One file: its name as the user wrote it, its nodes, and where they are. */
export class ConfigDocument {
  readonly file: string;
  /** Relative file names in it are meant from here. */
  readonly folder: string;
  /** Null when the file holds no value at all. */
  readonly root: ConfigNode | null;
  readonly #lines = new LineCounter();
  #aliasedNodeCount = 0;
  /** What aliases stand for: looking for it goes through all of the document. */
  readonly #targets = new Map<Alias, Node | undefined>();

  /** @throws ConfigError when the text is not YAML */
  constructor(text: string, file: string, folder = path.dirname(file)) {
    this.file = file;
    this.folder = folder;
    // "failsafe" leaves every scalar a string; duplicate keys are reported here, with their key.
    const [first] = parseAllDocuments(text.replace(/^\ufeff/, ''), {
      schema: 'failsafe',
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: this.#lines,
      logLevel: 'silent',
    });
    if (first === undefined) {
      this.root = null;
      return;
    }
    const [error] = first.errors;
    if (error !== undefined) throw this.error(`yaml: ${firstLower(error.message)}`, error.pos[0]);
    this.root = first.contents === null ? null : this.#convert(first.contents, first, []);
  }

  /** Where `offset` is; both count from 1. */
  position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  error(what: string, offset: number): ConfigError {
    const { line, column } = this.position(offset);
    return new ConfigError(what, this.file, line, column);
  }

  #convert(node: Node | null, document: Document, aliases: readonly string[]): ConfigNode {
    const offset = node?.range?.[0] ?? 0;
    if (aliases.length > 0 && ++this.#aliasedNodeCount > ALIASED_NODE_COUNT_MAX) {
      throw this.error('yaml: document contains excessive aliasing', offset);
    }
    if (isAlias(node)) {
      if (aliases.includes(node.source)) {
        throw this.error(`yaml: anchor '${node.source}' contains itself`, offset);
      }
      if (!this.#targets.has(node)) this.#targets.set(node, node.resolve(document));
      const target = this.#targets.get(node);
      if (target === undefined) {
        throw this.error(`yaml: unknown anchor '${node.source}' referenced`, offset);
      }
      return this.#convert(target, document, [...aliases, node.source]);
    }
    if (isMap(node))
      return { kind: 'map', offset, entries: this.#entries(node, document, aliases) };
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#convert(item as Node | null, document, aliases));
      return { kind: 'list', offset, items };
    }
    if (!isScalar(node)) return { kind: 'scalar', offset, text: '', plain: true };
    const plain = node.type === Scalar.PLAIN || node.type === undefined;
    const text = typeof node.value === 'string' ? node.value : '';
    if (node.tag === 'tag:yaml.org,2002:binary') return this.#binary(node.source ?? '', offset);
    if (node.tag === 'tag:yaml.org,2002:str') return { kind: 'scalar', offset, text, plain: false };
    return { kind: 'scalar', offset, text, plain };
  }

  #entries(map: YAMLMap, document: Document, aliases: readonly string[]): MapEntry[] {
    const entries = new Map<string, MapEntry>();
    const merged: MapEntry[] = [];
    for (const { key, value } of map.items) {
      const keyNode = this.#convert(key as Node | null, document, aliases);
      const { offset } = keyNode;
      if (keyNode.kind !== 'scalar') throw this.error('yaml: a key must be a plain text', offset);
      const valueNode =
        value === null || value === undefined
          ? ({ kind: 'scalar', offset, text: '', plain: true } as const)
          : this.#convert(value as Node, document, aliases);
      if (keyNode.text === '<<' && keyNode.plain) {
        merged.push(...this.#mergedEntries(valueNode));
      } else if (entries.has(keyNode.text)) {
        throw this.error(`key ${quoteText(keyNode.text)} is given twice`, offset);
      } else {
        entries.set(keyNode.text, { key: keyNode.text, offset, value: valueNode });
      }
    }
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    return [...entries.values()];
  }

  #mergedEntries(node: ConfigNode): readonly MapEntry[] {
    const maps = node.kind === 'list' ? node.items : [node];
    return maps.flatMap((map) => {
      if (map.kind === 'map') return map.entries;
      throw this.error('yaml: map merge requires map or sequence of maps as the value', map.offset);
    });
  }

  #binary(text: string, offset: number): ScalarNode {
    const base64 = text.replaceAll(/\s/g, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) {
      throw this.error('yaml: !!binary value contains invalid base64 data', offset);
    }
    const bytes = Buffer.from(base64, 'base64');
    const decoded = bytes.toString('utf8');
    if (Buffer.from(decoded, 'utf8').equals(bytes)) {
      return { kind: 'scalar', offset, text: decoded, plain: false };
    }
    const notUtf8 = `"${bytes.toString('latin1').replaceAll(/[^\x20-\x7e]/g, hexEscape)}"`;
    return { kind: 'scalar', offset, text: decoded, plain: false, notUtf8 };
  }
}

function hexEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function firstLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
