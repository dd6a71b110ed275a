/** Errors as plain data, so that they cross threads with their class and their fields. */
import {
  AssertionError,
  CanceledError,
  ConfigError,
  CorruptionError,
  LimitError,
  ValueError,
} from '../../model/index.ts';

export type PackedError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PackedError | undefined;
};

/** Classes that are recognised with `instanceof` on the other side. Others keep name and fields. */
const CLASSES: Readonly<Record<string, { readonly prototype: Error }>> = {
  AssertionError,
  CanceledError,
  ConfigError,
  CorruptionError,
  LimitError,
  RangeError,
  SyntaxError,
  TypeError,
  ValueError,
};

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) {
    return {
      name: 'Error',
      message: String(error),
      stack: undefined,
      fields: {},
      cause: undefined,
    };
  }
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (key !== 'name' && key !== 'cause' && isPlain(value)) fields[key] = value;
  }
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    fields,
    cause: error.cause === undefined ? undefined : packError(error.cause),
  };
}

export function unpackError(packed: PackedError): Error {
  const error = new Error(packed.message);
  const known = Object.hasOwn(CLASSES, packed.name) ? CLASSES[packed.name] : undefined;
  if (known === undefined) Object.defineProperty(error, 'name', { value: packed.name });
  else Object.setPrototypeOf(error, known.prototype);
  Object.assign(error, packed.fields);
  if (packed.stack !== undefined) error.stack = packed.stack;
  if (packed.cause !== undefined) error.cause = unpackError(packed.cause);
  return error;
}

/** Can `value` be cloned into another thread? */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value !== 'object') {
    return typeof value !== 'function' && typeof value !== 'symbol';
  }
  if (Array.isArray(value)) return value.every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype && Object.values(value).every(isPlain);
}
