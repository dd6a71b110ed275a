/**
 * Builds trees from operands and operators as they come, by precedence (a shunting yard). What is
 * complete is built at once, as a table-driven parser would do it: so an error that lies in the
 * building comes before errors further right.
 */
export type StackOperator<Node> = {
  /** Higher binds tighter. */
  readonly precedence: number;
  readonly isRightAssociative: boolean;
  /** One operand for signs, two for the others. */
  readonly operandCount: 1 | 2;
  build(operands: readonly Node[]): Node;
};

export class OperatorStack<Node> {
  readonly #operands: Node[] = [];
  readonly #operators: StackOperator<Node>[] = [];

  pushOperand(operand: Node): void {
    this.#operands.push(operand);
  }

  /** A sign in front of an operand; nothing to its left can be complete yet. */
  pushSign(operator: StackOperator<Node>): void {
    this.#operators.push(operator);
  }

  /** An operator between operands. */
  pushBinary(operator: StackOperator<Node>): void {
    this.buildBefore(operator.precedence, operator.isRightAssociative);
    this.#operators.push(operator);
  }

  finish(): Node {
    if (this.#operators.length > 0) this.buildBefore(-1, false);
    return this.#operands[0]!;
  }

  /** Builds what binds tighter than an operator that is about to come. */
  buildBefore(precedence: number, isRightAssociative: boolean): void {
    const operators = this.#operators;
    const operands = this.#operands;
    for (;;) {
      const top = operators.at(-1);
      if (top === undefined || top.precedence < precedence) return;
      if (top.precedence === precedence && isRightAssociative) return;
      operators.pop();
      const taken = operands.splice(operands.length - top.operandCount, top.operandCount);
      operands.push(top.build(taken));
    }
  }
}
