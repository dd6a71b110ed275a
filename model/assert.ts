/** A broken assertion is a bug of ours, never bad input: it is not caught and not made polite. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws when `condition` does not hold. `what` may be a function where building it costs. */
export function assert(condition: unknown, what: string | (() => string)): asserts condition {
  if (condition) return;
  throw new AssertionError(typeof what === 'string' ? what : what());
}

/** For the default branch of a switch: the compiler proves that no kind was forgotten. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
