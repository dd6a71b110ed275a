/**
 * Writes a page from the literal texts of a template and the values between them, so that no value can
 * be anything but a value where it stands: in a text, an attribute, an address, a script, a style.
 * Source: Go package html/template, documentation (contexts, "unsafe" values become ZgotmplZ); what
 * each character becomes was compared with a running Prometheus 3.14.
 */
import {
  GoDuration,
  GoInt,
  GoStruct,
  GoText,
  GoTime,
  SafeHtml,
  type Value,
} from '../rules/template/index.ts';

type Quote = '"' | "'" | '';
type AttributeKind = 'plain' | 'url' | 'script' | 'style';
/** Inside of a script: code, one of its texts, a comment. */
type ScriptPart = '' | '"' | "'" | '`' | '//' | '/*';

type Place =
  | { readonly kind: 'text' }
  /** Between `<name` and `>`, outside of values. */
  | { readonly kind: 'tag'; readonly element: string }
  | {
      kind: 'attribute';
      readonly element: string;
      readonly of: AttributeKind;
      readonly quote: Quote;
    }
  /** What ends with `</element`. */
  | { readonly kind: 'raw'; readonly element: 'script' | 'style' | 'title' | 'textarea' }
  | { readonly kind: 'comment' };

const UNSAFE = 'ZgotmplZ';
const RAW_ELEMENTS = ['script', 'style', 'title', 'textarea'] as const;
const URL_ATTRIBUTES = new Set([
  'action',
  'archive',
  'background',
  'cite',
  'classid',
  'codebase',
  'data',
  'formaction',
  'href',
  'icon',
  'longdesc',
  'manifest',
  'poster',
  'profile',
  'src',
  'usemap',
  'xmlns',
]);

export class HtmlWriter {
  #place: Place = { kind: 'text' };
  #script: ScriptPart = '';
  /** Of an address: has its `?` or `#` been seen, has anything? */
  #urlPart: 'start' | 'path' | 'query' = 'start';

  /** A text of the template itself; comments are left out. */
  literal(text: string): string {
    let out = '';
    for (let at = 0; at < text.length; ) {
      const end = this.#advance(text, at);
      if (this.#place.kind !== 'comment' && !text.startsWith('<!--', at))
        out += text.slice(at, end);
      else if (text.startsWith('-->', end)) this.#place = { kind: 'text' };
      at = text.startsWith('-->', end) && this.#place.kind === 'text' ? end + 3 : end;
    }
    return out;
  }

  /** A value, made harmless. @param printed  as a template of text would print it */
  value(value: Value, printed: string): string {
    const place = this.#place;
    switch (place.kind) {
      case 'text':
        return value instanceof SafeHtml ? printed : escapeText(printed);
      case 'comment':
        return '';
      case 'tag':
        // A name of an attribute: nothing that could act.
        return /^[a-zA-Z][\w-]*$/.test(printed) && !/^(?:on|style)/i.test(printed)
          ? printed
          : UNSAFE;
      case 'raw':
        if (place.element === 'script') return this.#inScript(value, printed);
        return place.element === 'style' ? safeStyle(printed) : escapeText(printed);
      case 'attribute':
        return escapeAttribute(this.#inAttribute(place.of, value, printed), place.quote);
    }
  }

  #inAttribute(kind: AttributeKind, value: Value, printed: string): string {
    switch (kind) {
      case 'url': {
        const isStart = this.#urlPart === 'start';
        if (isStart) this.#urlPart = 'path';
        if (isStart && !hasSafeScheme(printed)) return `#${UNSAFE}`;
        return this.#urlPart === 'query' ? encodeAll(printed) : encodeNeeded(printed);
      }
      case 'script':
        return this.#inScript(value, printed);
      case 'style':
        return safeStyle(printed);
      case 'plain':
        // Tags have no place in an attribute.
        return value instanceof SafeHtml ? printed.replaceAll(/<[^>]*>/g, '') : printed;
    }
  }

  #inScript(value: Value, printed: string): string {
    if (this.#script === '//' || this.#script === '/*') return '';
    return this.#script === '' ? scriptValue(value, printed) : escapeScriptText(printed);
  }

  /** Reads on from `at` to where something changes, or to the end; returns where that is. */
  #advance(text: string, at: number): number {
    const place = this.#place;
    switch (place.kind) {
      case 'text':
        return this.#inText(text, at);
      case 'comment': {
        const end = text.indexOf('-->', at);
        return end < 0 ? text.length : end;
      }
      case 'tag':
        return this.#inTag(place.element, text, at);
      case 'attribute':
        return this.#inValue(place, text, at);
      case 'raw': {
        const end = new RegExp(`</${place.element}`, 'i').exec(text.slice(at));
        const stop = end === null ? text.length : at + end.index;
        if (place.element === 'script') this.#readScript(text.slice(at, stop));
        if (end === null) return text.length;
        this.#script = '';
        this.#place = { kind: 'tag', element: '' };
        return stop + end[0].length;
      }
    }
  }

  #inText(text: string, at: number): number {
    if (text.startsWith('<!--', at)) {
      this.#place = { kind: 'comment' };
      const end = text.indexOf('-->', at + 4);
      return end < 0 ? text.length : end;
    }
    const found = /<!--|<\/?([a-zA-Z][\w:-]*)/g;
    found.lastIndex = at;
    const match = found.exec(text);
    if (match === null) return text.length;
    if (match[1] === undefined) return match.index;
    const element = match[0].startsWith('</') ? '' : match[1].toLowerCase();
    this.#place = { kind: 'tag', element };
    return found.lastIndex;
  }

  #inTag(element: string, text: string, at: number): number {
    const part = /\s*(?:(\/?>)|([^\s=>"'/]+)(?:\s*=\s*(["']?))?|.)/sy;
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) return text.length;
    const [whole, close, name, quote] = match;
    if (close !== undefined) {
      const raw = RAW_ELEMENTS.find((known) => known === element);
      this.#place = raw === undefined ? { kind: 'text' } : { kind: 'raw', element: raw };
      this.#script = '';
    } else if (name !== undefined && quote !== undefined) {
      this.#place = { kind: 'attribute', element, of: kindOf(name), quote: quote as Quote };
      this.#urlPart = 'start';
      this.#script = '';
    }
    return at + whole.length;
  }

  #inValue(
    { element, of, quote }: Place & { readonly kind: 'attribute' },
    text: string,
    at: number,
  ): number {
    const end = quote === '' ? text.slice(at).search(/[\s>]/) : text.indexOf(quote, at) - at;
    const stop = end < 0 ? text.length : at + end;
    const part = text.slice(at, stop);
    if (of === 'script') this.#readScript(part);
    if (/[?#]/.test(part)) this.#urlPart = 'query';
    else if (part !== '' && this.#urlPart === 'start') this.#urlPart = 'path';
    if (end < 0) return text.length;
    this.#place = { kind: 'tag', element };
    return stop + quote.length;
  }

  /** Follows the texts and comments of a script. */
  #readScript(code: string): void {
    for (let i = 0; i < code.length; i++) {
      const two = code.slice(i, i + 2);
      switch (this.#script) {
        case '':
          if (two === '//' || two === '/*') this.#script = two;
          else if (/["'`]/.test(code[i]!)) this.#script = code[i] as ScriptPart;
          break;
        case '//':
          if (code[i] === '\n') this.#script = '';
          break;
        case '/*':
          if (two === '*/') this.#script = '';
          break;
        default:
          if (code[i] === '\\') i++;
          else if (code[i] === this.#script) this.#script = '';
      }
    }
  }
}

function kindOf(name: string): AttributeKind {
  const lower = name.toLowerCase();
  if (lower.startsWith('on')) return 'script';
  if (lower === 'style') return 'style';
  // `data-src` and the like are taken for what they end up as.
  const plain = lower.replace(/^data-/, '').replace(/^.*:/, '');
  return URL_ATTRIBUTES.has(plain) || /src|uri|url/.test(plain) ? 'url' : 'plain';
}

const TEXT_ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  '&': '&amp;',
  "'": '&#39;',
  '+': '&#43;',
  '<': '&lt;',
  '>': '&gt;',
};

function escapeText(text: string): string {
  return text.replaceAll(/[\0"&'+<>]/g, (char) => TEXT_ESCAPES[char]!);
}

function escapeAttribute(text: string, quote: Quote): string {
  const escaped = escapeText(text);
  if (quote !== '') return escaped;
  return escaped.replaceAll(/[\t-\r =`]/g, (char) => `&#${char.codePointAt(0)};`);
}

function hasSafeScheme(url: string): boolean {
  const scheme = /^([^/]*?):/.exec(url)?.[1];
  return scheme === undefined || /^(?:https?|mailto)$/i.test(scheme);
}

const encoder = new TextEncoder();

function encodeBytes(text: string): string {
  return Array.from(encoder.encode(text), (b) => `%${b.toString(16).padStart(2, '0')}`).join('');
}

/** Everything but what never means anything in an address. */
function encodeAll(text: string): string {
  return text.replaceAll(/[^\w.~-]/gu, encodeBytes);
}

/** What may not stand in an address; the rest keeps its meaning. */
function encodeNeeded(text: string): string {
  return text.replaceAll(/%(?![0-9a-fA-F]{2})|[^\w.~!#$&*+,/:;=?@[\]%-]/gu, encodeBytes);
}

function safeStyle(text: string): string {
  const isSafe = !/[\0"'()/;@[\\\]`{}<>]|--/.test(text) && !/expression|mozbinding/i.test(text);
  return isSafe ? text : UNSAFE;
}

/** JSON that closes no script; numbers and words keep a distance to what is around them. */
function scriptValue(value: Value, printed: string): string {
  const json = JSON.stringify(plainOf(value, printed)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
  return /^[[{"]/.test(json) ? json : ` ${json} `;
}

function plainOf(value: Value, printed: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoDuration) return Math.round(value.seconds * 1e9);
  if (value instanceof GoTime || value instanceof GoText) return printed;
  if (value instanceof GoStruct) {
    return Object.fromEntries([...value.fields].map(([name, field]) => [name, plainOf(field, '')]));
  }
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, item]) => [name, plainOf(item as Value, '')]));
  }
  return (value as readonly Value[]).map((item) => plainOf(item, ''));
}

const SCRIPT_ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '/': '\\/',
  '\\': '\\\\',
};

function escapeScriptText(text: string): string {
  return text.replaceAll(
    /[\0\t-\r"&'+/<>\\`\u2028\u2029]/g,
    (char) => SCRIPT_ESCAPES[char] ?? `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
