/** Tokens to trees: one for the template itself and one for each that it defines. */
import { quoteText } from '../../../model/index.ts';
import { Lexer, type Token } from './lexer.ts';
import type { BranchNode, CommandNode, ListNode, Node, OperandNode, PipeNode } from './syntax.ts';
import { printNode } from './syntax.ts';
import { TemplateError } from './values.ts';

export type ParsedTemplate = {
  readonly name: string;
  readonly text: string;
  /** The template itself under its own name, and those that it defines. */
  readonly trees: ReadonlyMap<string, ListNode>;
};

/** @throws TemplateError as Go words it: `template: name:line: what` */
export function parseTemplate(
  name: string,
  text: string,
  functions: { has(name: string): boolean },
): ParsedTemplate {
  return new Parser(name, text, functions).parse();
}

type Stop = 'end' | 'else';

class Parser {
  readonly #name: string;
  readonly #text: string;
  readonly #functions: { has(name: string): boolean };
  readonly #tokens: readonly Token[];
  readonly #trees = new Map<string, ListNode>();
  #next = 0;
  #variables: string[] = ['$'];
  #rangeDepth = 0;

  constructor(name: string, text: string, functions: { has(name: string): boolean }) {
    this.#name = name;
    this.#text = text;
    this.#functions = functions;
    this.#tokens = new Lexer(text).tokens();
  }

  parse(): ParsedTemplate {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#tokens[this.#next]!;
      if (token.kind === 'end') break;
      if (token.kind === 'open') {
        const word = this.#peekWord();
        if (word === 'define') {
          this.#define();
          continue;
        }
      }
      const node = this.#textOrAction();
      if (typeof node === 'string') this.#fail(`unexpected {{${node}}}`);
      nodes.push(node);
    }
    this.#trees.set(this.#name, nodes);
    return { name: this.#name, text: this.#text, trees: this.#trees };
  }

  #fail(message: string, token?: Token): never {
    const at = (token ?? this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!).at;
    const line = this.#text.slice(0, at).split('\n').length;
    throw new TemplateError(`template: ${this.#name}:${line}: ${message}`);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind === 'error') this.#fail(token.text, token);
    const shown = token.kind === 'end' ? 'EOF' : shownToken(token);
    this.#fail(`unexpected ${shown} in ${context}`, token);
  }

  #take(): Token {
    return this.#tokens[Math.min(this.#next++, this.#tokens.length - 1)]!;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!;
  }

  #skipSpace(): void {
    while (this.#peek().kind === 'space') this.#next++;
  }

  #takeNonSpace(): Token {
    this.#skipSpace();
    return this.#take();
  }

  #peekNonSpace(): Token {
    this.#skipSpace();
    return this.#peek();
  }

  /** The keyword right after `{{`, if there is one. */
  #peekWord(): string {
    let index = this.#next + 1;
    while (this.#tokens[index]?.kind === 'space') index++;
    const token = this.#tokens[index];
    return token?.kind === 'keyword' ? token.text : '';
  }

  #define(): void {
    this.#next++;
    this.#takeNonSpace();
    const nameToken = this.#takeNonSpace();
    if (nameToken.kind !== 'string' && nameToken.kind !== 'rawString') {
      this.#unexpected(nameToken, 'define clause');
    }
    this.#expectClose('define clause');
    this.#defineBody(this.#unquote(nameToken), '{{define}}');
  }

  #defineBody(name: string, context: string): void {
    const outer = this.#variables;
    this.#variables = ['$'];
    const { nodes, stop } = this.#list(context);
    if (stop !== 'end') this.#fail(`unexpected {{else}} in ${context}`);
    this.#variables = outer;
    const isBlank = nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
    if (!isBlank || !this.#trees.has(name)) this.#trees.set(name, nodes);
  }

  #expectClose(context: string): void {
    const token = this.#takeNonSpace();
    if (token.kind !== 'close') this.#unexpected(token, context);
  }

  /** Up to `{{end}}` or `{{else`, which is taken with its keyword. */
  #list(context: string): { readonly nodes: ListNode; readonly stop: Stop } {
    const nodes: Node[] = [];
    for (;;) {
      if (this.#peek().kind === 'end') this.#fail('unexpected EOF');
      const node = this.#textOrAction();
      if (node === 'end' || node === 'else') return { nodes, stop: node };
      if (typeof node === 'string') this.#fail(`unexpected {{${String(node)}}} in ${context}`);
      nodes.push(node);
    }
  }

  #textOrAction(): Node | Stop {
    const token = this.#take();
    if (token.kind === 'text') return { kind: 'text', at: token.at, text: token.text };
    if (token.kind !== 'open') this.#unexpected(token, 'input');
    return this.#action();
  }

  #action(): Node | Stop {
    const token = this.#peekNonSpace();
    if (token.kind === 'keyword') {
      this.#next++;
      return this.#keyword(token);
    }
    const pipe = this.#pipeline('command', 'close');
    return { kind: 'action', at: token.at, pipe };
  }

  #keyword(token: Token): Node | Stop {
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(token.text, token);
      case 'else':
        return 'else';
      case 'end':
        this.#expectClose('end');
        return 'end';
      case 'template':
        return this.#template();
      case 'block':
        return this.#block(token);
      case 'break':
      case 'continue':
        this.#expectClose(`{{${token.text}}}`);
        if (this.#rangeDepth === 0) this.#fail(`{{${token.text}}} outside {{range}}`, token);
        return { kind: token.text, at: token.at };
      default:
        return this.#fail(`unexpected <${token.text}> in command`, token);
    }
  }

  #branch(kind: BranchNode['kind'], token: Token): BranchNode {
    const variableCount = this.#variables.length;
    const pipe = this.#pipeline(kind, 'close');
    if (kind === 'range') this.#rangeDepth++;
    const { nodes: body, stop } = this.#list(`{{${kind}}}`);
    if (kind === 'range') this.#rangeDepth--;
    let otherwise: ListNode | null = null;
    if (stop === 'else') otherwise = this.#elseBranch(kind);
    this.#variables.length = variableCount;
    return { kind, at: pipe.at === token.at ? token.at : pipe.at, pipe, body, otherwise };
  }

  /** Behind `{{else`. */
  #elseBranch(kind: BranchNode['kind']): ListNode {
    const token = this.#peekNonSpace();
    const isChained = token.kind === 'keyword' && token.text === kind && kind !== 'range';
    if (isChained) {
      this.#next++;
      // `{{else if}}` shares the `{{end}}`.
      return [this.#branch(kind, token)];
    }
    this.#expectClose('else');
    const { nodes, stop } = this.#list(`{{${kind}}}`);
    if (stop !== 'end') this.#fail('expected end; found {{else}}');
    return nodes;
  }

  #template(): Node {
    const nameToken = this.#takeNonSpace();
    if (nameToken.kind !== 'string' && nameToken.kind !== 'rawString') {
      this.#unexpected(nameToken, 'template clause');
    }
    const name = this.#unquote(nameToken);
    if (this.#peekNonSpace().kind === 'close') {
      this.#next++;
      return { kind: 'template', at: nameToken.at, name, pipe: null };
    }
    const pipe = this.#pipeline('template clause', 'close');
    return { kind: 'template', at: nameToken.at, name, pipe };
  }

  #block(token: Token): Node {
    const nameToken = this.#takeNonSpace();
    if (nameToken.kind !== 'string' && nameToken.kind !== 'rawString') {
      this.#unexpected(nameToken, 'block clause');
    }
    const name = this.#unquote(nameToken);
    const pipe = this.#pipeline('block clause', 'close');
    this.#defineBody(name, '{{block}}');
    return { kind: 'template', at: token.at, name, pipe };
  }

  #pipeline(context: string, end: 'close' | 'rightParen'): PipeNode {
    const first = this.#peekNonSpace();
    const { variables, isAssignment } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#peekNonSpace();
      if (token.kind === end) {
        this.#next++;
        break;
      }
      commands.push(this.#command(context));
      const separator = this.#peekNonSpace();
      if (separator.kind === 'pipe') this.#next++;
      else if (separator.kind !== end) this.#unexpected(separator, context);
    }
    if (commands.length === 0) this.#fail(`missing value for ${context}`, first);
    commands.slice(1).forEach(({ args }, index) => {
      const [head] = args;
      if (['bool', 'dot', 'nil', 'number', 'string'].includes(head!.kind)) {
        this.#fail(`non executable command in pipeline stage ${index + 2}`, first);
      }
    });
    return { kind: 'pipe', at: first.at, variables, isAssignment, commands };
  }

  #declarations(context: string): { variables: readonly string[]; isAssignment: boolean } {
    const variables: string[] = [];
    const start = this.#next;
    for (;;) {
      const token = this.#peekNonSpace();
      if (token.kind !== 'variable') break;
      this.#next++;
      const after = this.#peekNonSpace();
      if (after.kind === 'declare' || after.kind === 'assign') {
        this.#next++;
        variables.push(token.text);
        const isAssignment = after.kind === 'assign';
        if (!isAssignment) this.#variables.push(...variables);
        return { variables, isAssignment };
      }
      if (after.kind === 'comma' && context === 'range' && variables.length === 0) {
        this.#next++;
        variables.push(token.text);
        continue;
      }
      if (after.kind === 'comma') this.#fail(`too many declarations in ${context}`, token);
      break;
    }
    this.#next = start;
    return { variables: [], isAssignment: false };
  }

  #requireVariable(name: string, token: Token): void {
    if (!this.#variables.includes(name)) {
      this.#fail(`undefined variable ${quoteText(name)}`, token);
    }
  }

  #command(context: string): CommandNode {
    const { at } = this.#peekNonSpace();
    const args: OperandNode[] = [];
    for (;;) {
      this.#skipSpace();
      const operand = this.#operand();
      if (operand !== null) args.push(operand);
      const token = this.#peek();
      if (token.kind === 'space') {
        const next = this.#peekNonSpace();
        if (next.kind === 'pipe' || next.kind === 'close' || next.kind === 'rightParen') break;
        continue;
      }
      if (token.kind === 'pipe' || token.kind === 'close' || token.kind === 'rightParen') break;
      this.#unexpected(token, 'operand');
    }
    if (args.length === 0) this.#unexpected(this.#peek(), context);
    return { kind: 'command', at, args };
  }

  /** A term and the fields behind it. */
  #operand(): OperandNode | null {
    const term = this.#term();
    if (term === null) return null;
    const names: string[] = [];
    const { at } = this.#peek();
    while (this.#peek().kind === 'field') names.push(this.#take().text.slice(1));
    if (names.length === 0) return term;
    if (term.kind === 'field') return { ...term, at, names: [...term.names, ...names] };
    if (term.kind === 'variable') return { ...term, at, names };
    if (['bool', 'string', 'number', 'nil', 'dot'].includes(term.kind)) {
      this.#fail(`unexpected . after term ${quoteText(printNode(term))}`);
    }
    return { kind: 'chain', at, base: term, names };
  }

  #term(): OperandNode | null {
    const token = this.#take();
    const { at, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#functions.has(text)) {
          this.#fail(`function ${quoteText(text)} not defined`, token);
        }
        return { kind: 'function', at, name: text };
      case 'dot':
        return { kind: 'dot', at };
      case 'nil':
        return { kind: 'nil', at };
      case 'variable':
        this.#requireVariable(text, token);
        return { kind: 'variable', at, name: text, names: [] };
      case 'field':
        return { kind: 'field', at, names: [text.slice(1)] };
      case 'bool':
        return { kind: 'bool', at, value: text === 'true' };
      case 'char':
      case 'number':
        return this.#number(token);
      case 'leftParen':
        return this.#pipeline('parenthesized pipeline', 'rightParen');
      case 'string':
      case 'rawString':
        return { kind: 'string', at, text, value: this.#unquote(token) };
      case 'error':
        return this.#fail(text, token);
      default:
        this.#next--;
        return null;
    }
  }

  #number(token: Token): OperandNode {
    const { at, text, kind } = token;
    if (kind === 'char') {
      const body = unescapeGo(text.slice(1, -1));
      if (body === null || Array.from(body).length !== 1) {
        this.#fail(`malformed character constant: ${text}`, token);
      }
      return { kind: 'number', at, text, value: body.codePointAt(0)!, isInt: true };
    }
    const plain = text.replaceAll('_', '');
    const sign = plain.startsWith('-') ? -1 : 1;
    const digits = plain.replace(/^[+-]/, '');
    const isOctal = /^0[0-7]+$/.test(digits);
    const value = sign * Number(isOctal ? `0o${digits.slice(1)}` : digits);
    if (Number.isNaN(value)) this.#fail(`illegal number syntax: ${quoteText(text)}`, token);
    return { kind: 'number', at, text, value, isInt: Number.isSafeInteger(value) };
  }

  #unquote(token: Token): string {
    if (token.kind === 'rawString') return token.text.slice(1, -1);
    const text = unescapeGo(token.text.slice(1, -1));
    return text ?? this.#fail('invalid syntax', token);
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** Null when an escape is none of Go's. */
function unescapeGo(text: string): string | null {
  let isGood = true;
  const bytes: Buffer[] = [];
  let from = 0;
  const escapes =
    /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)/g;
  for (const match of text.matchAll(escapes)) {
    const [all, simple, hex, octal, short, long] = match;
    bytes.push(Buffer.from(text.slice(from, match.index)));
    from = match.index + all.length;
    if (simple !== undefined) bytes.push(Buffer.from(SIMPLE_ESCAPES[simple]!));
    else if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)));
    else if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8)));
    else if (short ?? long) {
      const code = Number.parseInt((short ?? long)!, 16);
      if (code > 0x10ffff) isGood = false;
      else bytes.push(Buffer.from(String.fromCodePoint(code)));
    } else isGood = false;
  }
  bytes.push(Buffer.from(text.slice(from)));
  return isGood ? Buffer.concat(bytes).toString('utf8') : null;
}

/** How an unexpected token is named in messages. */
function shownToken(token: Token): string {
  if (token.kind === 'keyword' || token.kind === 'dot' || token.kind === 'nil')
    return `<${token.text}>`;
  const { text } = token;
  return text.length > 10 ? `${quoteText(text.slice(0, 10))}...` : quoteText(text);
}
