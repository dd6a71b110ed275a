/** The tree of a template. Every node knows the byte offset at which Go would say it stands. */

export type FieldNode = {
  readonly kind: 'field';
  readonly at: number;
  readonly names: readonly string[];
};
export type VariableNode = {
  readonly kind: 'variable';
  readonly at: number;
  /** With the dollar sign. */
  readonly name: string;
  readonly names: readonly string[];
};
export type OperandNode =
  | { readonly kind: 'dot'; readonly at: number }
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'bool'; readonly at: number; readonly value: boolean }
  | {
      readonly kind: 'number';
      readonly at: number;
      readonly text: string;
      readonly value: number;
      readonly isInt: boolean;
    }
  | { readonly kind: 'string'; readonly at: number; readonly text: string; readonly value: string }
  | { readonly kind: 'function'; readonly at: number; readonly name: string }
  | FieldNode
  | VariableNode
  | {
      readonly kind: 'chain';
      readonly at: number;
      readonly base: OperandNode;
      readonly names: readonly string[];
    }
  | PipeNode;

export type CommandNode = {
  readonly kind: 'command';
  readonly at: number;
  readonly args: readonly OperandNode[];
};

export type PipeNode = {
  readonly kind: 'pipe';
  readonly at: number;
  /** Variables that are declared (or set) by it. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly CommandNode[];
};

export type BranchNode = {
  readonly kind: 'if' | 'with' | 'range';
  readonly at: number;
  readonly pipe: PipeNode;
  readonly body: ListNode;
  readonly otherwise: ListNode | null;
};

export type Node =
  | { readonly kind: 'text'; readonly at: number; readonly text: string }
  | { readonly kind: 'action'; readonly at: number; readonly pipe: PipeNode }
  | BranchNode
  | { readonly kind: 'break' | 'continue'; readonly at: number }
  | {
      readonly kind: 'template';
      readonly at: number;
      readonly name: string;
      readonly pipe: PipeNode | null;
    };
export type ListNode = readonly Node[];

/** As Go prints a node in error messages. */
export function printNode(node: OperandNode | CommandNode | Node): string {
  switch (node.kind) {
    case 'text':
      return JSON.stringify(node.text);
    case 'action':
      return `{{${printNode(node.pipe)}}}`;
    case 'if':
    case 'with':
    case 'range':
      return `{{${node.kind} ${printNode(node.pipe)}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'template': {
      const argument = node.pipe === null ? '' : ` ${printNode(node.pipe)}`;
      return `{{template ${JSON.stringify(node.name)}${argument}}}`;
    }
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
    case 'string':
      return node.text;
    case 'function':
      return node.name;
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.names].join('.');
    case 'chain': {
      const base = printNode(node.base);
      const shown = node.base.kind === 'pipe' ? `(${base})` : base;
      return shown + node.names.map((name) => `.${name}`).join('');
    }
    case 'command':
      return node.args
        .map((arg) => (arg.kind === 'pipe' ? `(${printNode(arg)})` : printNode(arg)))
        .join(' ');
    case 'pipe': {
      const variables =
        node.variables.length === 0
          ? ''
          : `${node.variables.join(', ')} ${node.isAssignment ? '=' : ':='} `;
      return variables + node.commands.map(printNode).join(' | ');
    }
  }
}
