/**
 * XML as platforms' APIs write it: elements, attributes, text, the five named characters. Not read:
 * what only documents have (entities of their own, processing instructions with a meaning).
 * Source: Extensible Markup Language (XML) 1.0.
 */
import { ValueError } from '../../model/index.ts';

export type XmlElement = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Directly inside this element, without blanks around. */
  readonly text: string;
};

type OpenElement = {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
};

const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<[?!][^>]*>|<\/([^\s>]+)\s*>|<([^\s/>]+)((?:"[^"]*"|'[^']*'|[^>"'])*?)(\/?)>|([^<]+)/g;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** The outermost element. @throws ValueError when the text is not XML */
export function parseXml(text: string): XmlElement {
  const root: OpenElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  let readTo = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index !== readTo) break;
    readTo += match[0].length;
    const [, cdata, closed, opened, attributes, isEmpty, characters] = match;
    const parent = open.at(-1)!;
    if (cdata !== undefined) parent.text += cdata;
    if (characters !== undefined) parent.text += unescape(characters);
    if (opened !== undefined) {
      const element: OpenElement = {
        name: localName(opened),
        attributes: parseAttributes(attributes ?? ''),
        children: [],
        text: '',
      };
      parent.children.push(element);
      if (isEmpty === '') open.push(element);
    }
    if (closed !== undefined) {
      if (open.length === 1 || parent.name !== localName(closed)) {
        throw new ValueError(`XML: unexpected </${closed}> at character ${match.index}`);
      }
      parent.text = parent.text.trim();
      open.pop();
    }
  }
  if (readTo < text.length) throw new ValueError(`XML: cannot be read at character ${readTo}`);
  if (open.length > 1) throw new ValueError(`XML: <${open.at(-1)!.name}> is not closed`);
  const [outermost] = root.children;
  if (outermost === undefined) throw new ValueError('XML: no element');
  return outermost;
}

/** The child of this name; the first where there are several. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** The text at the end of a path of names; empty where there is none. */
export function textAt(element: XmlElement | undefined, ...names: readonly string[]): string {
  let at = element;
  for (const name of names) at = childOf(at, name);
  return at?.text ?? '';
}

/** The children of the element at the end of a path. */
export function childrenAt(
  element: XmlElement | undefined,
  ...names: readonly string[]
): readonly XmlElement[] {
  let at = element;
  for (const name of names) at = childOf(at, name);
  return at?.children ?? [];
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function parseAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, double, single] of text.matchAll(ATTRIBUTE)) {
    attributes[localName(name!)] = unescape(double ?? single ?? '');
  }
  return attributes;
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name as string] ?? all;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex as string, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}
