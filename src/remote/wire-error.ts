/** A message that is not what its type promises. The whole request is refused. */
import { NarthexError } from '../../model/index.ts';

export class WireError extends NarthexError {
  /** As for any malformed value: the client's fault. */
  readonly code = 'VALUE';
}

/** What Prometheus says of a message that ends in the middle. */
export function unexpectedEnd(): WireError {
  return new WireError('unexpected EOF');
}
