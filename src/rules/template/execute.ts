/** Walks a template's tree and writes its output. Source: Go package text/template, documentation. */
import { quoteText } from '../../../model/index.ts';
import { formatValue } from './go-format.ts';
import type { ParsedTemplate } from './parser.ts';
import {
  type BranchNode,
  type CommandNode,
  type ListNode,
  type Node,
  type OperandNode,
  type PipeNode,
  printNode,
} from './syntax.ts';
import {
  CallError,
  GoInt,
  GoStruct,
  isList,
  isMap,
  isTrue,
  SafeHtml,
  sortedKeys,
  TemplateError,
  TextMap,
  typeName,
  type Value,
} from './values.ts';

export type ParameterKind = 'any' | 'string' | 'float' | 'int' | 'samples' | 'sample';

/** A function that templates may call. */
export type TemplateFunction = {
  /** Kinds of the arguments. */
  readonly parameters: readonly ParameterKind[];
  /** Kind of any further ones; null when there may be none. */
  readonly rest: ParameterKind | null;
  /** @throws CallError */
  readonly call: (args: readonly Value[]) => Value;
};

/** What is not to be caught and reworded: somebody else's signal, such as "ask and start over". */
export class Interruption extends Error {}

class BreakLoop extends Error {}
class ContinueLoop extends Error {}

const DEPTH_MAX = 1000;
/** A template that writes more is not a label. */
const OUTPUT_LENGTH_MAX = 16 * 1024 * 1024;
const NOTHING = Symbol('no final argument');

/** How texts and values become output, where that is more than to put one behind the other. */
export type OutputWriter = {
  literal(text: string): string;
  /** @param printed  as it would be printed without a writer */
  value(value: Value, printed: string): string;
};

/**
 * @param writer  of a page; with one there is `tmpl`, too
 * @throws TemplateError as Go words it
 */
export function executeTemplate(
  template: ParsedTemplate,
  functions: ReadonlyMap<string, TemplateFunction>,
  data: Value,
  writer: OutputWriter | null = null,
): string {
  return new Executor(template, functions, writer).run(template.name, data);
}

type Variable = { readonly name: string; value: Value };

class Executor {
  readonly #template: ParsedTemplate;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  readonly #writer: OutputWriter | null;
  #name = '';
  #out = '';
  #variables: Variable[] = [];
  #depth = 0;
  #node: OperandNode | CommandNode | Node | null = null;

  constructor(
    template: ParsedTemplate,
    functions: ReadonlyMap<string, TemplateFunction>,
    writer: OutputWriter | null,
  ) {
    this.#template = template;
    this.#functions = functions;
    this.#writer = writer;
  }

  run(name: string, data: Value): string {
    const outer = { name: this.#name, variables: this.#variables };
    this.#name = name;
    this.#variables = [{ name: '$', value: data }];
    const tree = this.#template.trees.get(name);
    if (tree === undefined) this.#fail(`template ${quoteText(name)} not defined`);
    if (++this.#depth > DEPTH_MAX) this.#fail(`exceeded maximum template depth (${DEPTH_MAX})`);
    const before = this.#out;
    this.#out = '';
    this.#list(tree, data);
    const text = this.#out;
    this.#out = before;
    this.#depth--;
    this.#name = outer.name;
    this.#variables = outer.variables;
    return text;
  }

  #fail(message: string): never {
    const { name } = this.#template;
    const node = this.#node;
    const quoted = quoteText(this.#name);
    if (node === null)
      throw new TemplateError(`template: ${name}: executing ${quoted}: ${message}`);
    const before = this.#template.text.slice(0, node.at);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const shown = printNode(node);
    throw new TemplateError(
      `template: ${name}:${line}:${column}: executing ${quoted} at <${shown}>: ${message}`,
    );
  }

  #write(text: string): void {
    this.#out += text;
    if (this.#out.length > OUTPUT_LENGTH_MAX) this.#fail('output is too long');
  }

  #list(nodes: ListNode, dot: Value): void {
    for (const node of nodes) this.#walk(node, dot);
  }

  #walk(node: Node, dot: Value): void {
    this.#node = node;
    switch (node.kind) {
      case 'text':
        return this.#write(this.#writer?.literal(node.text) ?? node.text);
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        // A declaration writes nothing.
        if (node.pipe.variables.length === 0) this.#write(this.#written(node.pipe, value));
        return;
      }
      case 'if':
      case 'with':
        return this.#scoped(() => this.#ifOrWith(node, dot));
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
      case 'template': {
        const data = node.pipe === null ? null : this.#pipe(node.pipe, dot);
        this.#node = node;
        if (!this.#template.trees.has(node.name)) {
          this.#fail(`template ${quoteText(node.name)} not defined`);
        }
        return this.#write(this.run(node.name, data));
      }
      case 'break':
        throw new BreakLoop();
      case 'continue':
        throw new ContinueLoop();
    }
  }

  #written(pipe: PipeNode, value: Value): string {
    const text = printed(value);
    if (this.#writer === null) return text;
    const [last] = pipe.commands.at(-1)!.args;
    // What a template escapes itself is not escaped again.
    const isEscaped = last?.kind === 'function' && last.name === 'html';
    return this.#writer.value(isEscaped ? new SafeHtml(text) : value, text);
  }

  #scoped(work: () => void): void {
    const count = this.#variables.length;
    work();
    this.#variables.length = count;
  }

  #ifOrWith(node: BranchNode, dot: Value): void {
    const value = this.#pipe(node.pipe, dot);
    if (isTrue(value)) this.#list(node.body, node.kind === 'with' ? value : dot);
    else if (node.otherwise !== null) this.#list(node.otherwise, dot);
  }

  #range(node: BranchNode, dot: Value): void {
    const value = this.#pipe(node.pipe, dot, true);
    const { variables, isAssignment } = node.pipe;
    let count = 0;
    const one = (key: Value, item: Value): boolean => {
      count++;
      const start = this.#variables.length;
      const names = variables.length === 2 ? [key, item] : [item];
      variables.forEach((name, index) => {
        if (isAssignment) this.#assign(name, names[index]!);
        else this.#variables.push({ name, value: names[index]! });
      });
      let goesOn = true;
      try {
        this.#list(node.body, item);
      } catch (error) {
        if (error instanceof BreakLoop) goesOn = false;
        else if (!(error instanceof ContinueLoop)) throw error;
      }
      this.#variables.length = start;
      return goesOn;
    };
    if (isList(value)) {
      for (const [index, item] of value.entries()) if (!one(new GoInt(index), item)) break;
    } else if (isMap(value)) {
      for (const key of sortedKeys(value)) if (!one(key, value.get(key)!)) break;
    } else if (value instanceof GoInt) {
      for (let i = 0; i < value.value; i++) if (!one(new GoInt(i), new GoInt(i))) break;
    } else if (value !== null) {
      this.#node = node.pipe;
      this.#fail(`range can't iterate over ${formatValue(value)}`);
    }
    if (count === 0 && node.otherwise !== null) this.#list(node.otherwise, dot);
  }

  #assign(name: string, value: Value): void {
    const variable = this.#variables.findLast((known) => known.name === name);
    if (variable === undefined) this.#fail(`undefined variable: ${name}`);
    else variable.value = value;
  }

  /** @param forRange  its variables are set per round */
  #pipe(pipe: PipeNode, dot: Value, forRange = false): Value {
    this.#node = pipe;
    let value: Value | typeof NOTHING = NOTHING;
    for (const command of pipe.commands) value = this.#command(command, dot, value);
    const result = value as Value;
    if (!forRange) {
      for (const name of pipe.variables) {
        if (pipe.isAssignment) this.#assign(name, result);
        else this.#variables.push({ name, value: result });
      }
    }
    return result;
  }

  #command(command: CommandNode, dot: Value, final: Value | typeof NOTHING): Value {
    const first = command.args[0]!;
    const rest = command.args.slice(1);
    if (first.kind === 'function') {
      this.#node = first;
      return this.#call(first.name, command, rest, dot, final);
    }
    this.#node = first;
    if (rest.length > 0 || final !== NOTHING) {
      const { kind } = first;
      if (kind === 'field' || kind === 'variable' || kind === 'chain') {
        // Evaluated first, so that what is wrong with it is said first.
        this.#operand(first, dot);
        const names = kind === 'variable' ? [first.name.slice(1), ...first.names] : first.names;
        const last = names.at(-1)!;
        const isVariable = kind === 'variable' && first.names.length === 0;
        if (isVariable) this.#fail(`can't give argument to non-function ${printNode(first)}`);
        this.#fail(`${last} is not a method but has arguments`);
      }
      this.#fail(`can't give argument to non-function ${printNode(first)}`);
    }
    if (first.kind === 'nil') this.#fail('nil is not a command');
    return this.#operand(first, dot);
  }

  #operand(node: OperandNode, dot: Value): Value {
    this.#node = node;
    switch (node.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'bool':
      case 'string':
        return node.value;
      case 'number': {
        const isFloatText = /[.eEpP]/.test(node.text) && !/^[+-]?0[xX][^.pP]*$/.test(node.text);
        return isFloatText && !node.text.startsWith("'") ? node.value : new GoInt(node.value);
      }
      case 'function':
        return this.#call(
          node.name,
          { kind: 'command', at: node.at, args: [node] },
          [],
          dot,
          NOTHING,
        );
      case 'field':
        return this.#fields(node, dot, node.names);
      case 'variable': {
        const variable = this.#variables.findLast(({ name }) => name === node.name);
        if (variable === undefined) return this.#fail(`undefined variable: ${node.name}`);
        return this.#fields(node, variable.value, node.names);
      }
      case 'chain':
        // What went wrong is then said of the last thing inside.
        return node.names.reduce<Value>(
          (value, name) => this.#field(value, name),
          this.#operand(node.base, dot),
        );
      case 'pipe':
        return this.#pipe(node, dot);
    }
  }

  #fields(node: OperandNode, base: Value, names: readonly string[]): Value {
    let value = base;
    for (const name of names) {
      this.#node = node;
      value = this.#field(value, name);
    }
    return value;
  }

  #field(value: Value, name: string): Value {
    if (value instanceof TextMap) return value.get(name) ?? '';
    if (isMap(value)) return value.get(name) ?? null;
    if (value instanceof GoStruct && value.fields.has(name)) return value.fields.get(name)!;
    if (value === null) this.#fail(`nil data; no entry for key ${quoteText(name)}`);
    return this.#fail(`can't evaluate field ${name} in type ${typeName(value)}`);
  }

  #call(
    name: string,
    command: CommandNode,
    argNodes: readonly OperandNode[],
    dot: Value,
    final: Value | typeof NOTHING,
  ): Value {
    const fn = this.#functions.get(name)!;
    const count = argNodes.length + (final === NOTHING ? 0 : 1);
    const { parameters, rest } = fn;
    const isCountGood = rest === null ? count === parameters.length : count >= parameters.length;
    if (!isCountGood) {
      const want = rest === null ? `${parameters.length}` : `at least ${parameters.length}`;
      this.#fail(`wrong number of args for ${name}: want ${want} got ${count}`);
    }
    if (name === 'tmpl' && this.#writer !== null) {
      const [wanted, data = null] = argNodes.map((node) => this.#operand(node, dot));
      this.#node = command;
      if (typeof wanted !== 'string') return this.#fail('tmpl wants the name of a template');
      return new SafeHtml(this.run(wanted, final === NOTHING ? data : final));
    }
    if (name === 'and' || name === 'or') return this.#logic(name, argNodes, dot, final);
    const kindOf = (index: number) => parameters[index] ?? rest!;
    const args = argNodes.map((node, index) => {
      const value = this.#operand(node, dot);
      this.#node = node;
      return this.#converted(value, kindOf(index), node);
    });
    if (final !== NOTHING) args.push(this.#converted(final, kindOf(argNodes.length), null));
    try {
      return fn.call(args);
    } catch (error) {
      if (error instanceof Interruption || error instanceof TemplateError) throw error;
      if (!(error instanceof CallError)) throw error;
      this.#node = command;
      return this.#fail(`error calling ${name}: ${error.message}`);
    }
  }

  /** `and` and `or` stop at the argument that decides. */
  #logic(
    name: 'and' | 'or',
    nodes: readonly OperandNode[],
    dot: Value,
    final: Value | typeof NOTHING,
  ): Value {
    let value: Value = null;
    for (const node of nodes) {
      value = this.#operand(node, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === NOTHING ? value : final;
  }

  /** Constants take the type that is wanted; anything else has to have it. */
  #converted(value: Value, kind: ParameterKind, node: OperandNode | null): Value {
    if (kind === 'any') return value;
    const isConstant = node?.kind === 'number';
    switch (kind) {
      case 'string':
        if (typeof value === 'string') return value;
        break;
      case 'float':
        if (typeof value === 'number') return value;
        if (isConstant && value instanceof GoInt) return value.value;
        break;
      case 'int':
        if (value instanceof GoInt) return value;
        if (isConstant && typeof value === 'number' && Number.isInteger(value)) {
          return new GoInt(value);
        }
        break;
      case 'samples':
        if (isList(value)) return value;
        break;
      case 'sample':
        if (value instanceof GoStruct) return value;
        break;
    }
    if (
      node !== null &&
      (node.kind === 'number' || node.kind === 'string' || node.kind === 'bool')
    ) {
      const type = GO_TYPES[kind];
      const found = printNode(node);
      const isOwnType = kind === 'sample' || kind === 'samples';
      this.#fail(
        isOwnType
          ? `can't handle ${found} for arg of type ${type}`
          : `expected ${type}; found ${found}`,
      );
    }
    if (value === null) this.#fail(`invalid value; expected ${GO_TYPES[kind]}`);
    return this.#fail(`wrong type for value; expected ${GO_TYPES[kind]}; got ${typeName(value)}`);
  }
}

const GO_TYPES: Readonly<Record<ParameterKind, string>> = {
  any: 'interface {}',
  string: 'string',
  float: 'float64',
  int: 'int',
  samples: 'template.queryResult',
  sample: '*template.sample',
};

/** What an action writes. */
function printed(value: Value): string {
  return value === null ? '<no value>' : formatValue(value);
}
