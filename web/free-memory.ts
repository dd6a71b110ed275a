/**
 * Gives the memory of an answer back once it has been sent. Left to V8 it would stay until the next
 * collection, and its size would bring that about: V8 counts it like objects of the thread, so one
 * answer of some megabytes makes it look through the whole heap, 10 to 30 ms for which nobody else
 * is answered.
 */

/** Not imported, as in `listen.ts`. */
const { ServerResponse } = process.getBuiltinModule('node:http');

/** Below, the memory is not worth the trouble. */
const FREED_SIZE_BYTES_MIN = 64 * 1024;

/** `bytes` must not be used afterwards. What shares its memory with others is left alone. */
export function freeBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < FREED_SIZE_BYTES_MIN || byteLength !== buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Frees what `response` sends as soon as the system has all of it. A client that leaves in between
 * is left to V8, and so is HTTP/2, where a stream may be done before its bytes have left.
 */
export function freeWhenSent(response: unknown, bytes: Uint8Array): void {
  if (bytes.byteLength < FREED_SIZE_BYTES_MIN || !(response instanceof ServerResponse)) return;
  const { socket } = response;
  response.once('finish', () => {
    // Of one that was cut off the system may still be reading.
    if (socket?.destroyed === false) freeBytes(bytes);
  });
}

/** Likewise for a part of what `response` sends, once it is said to be written. */
export function freeSent(response: unknown, bytes: Uint8Array): void {
  if (response instanceof ServerResponse && response.socket?.destroyed === false) freeBytes(bytes);
}
