/**
 * Bodies of answers that may be large: given away in pieces while they are being written. Depends on
 * nothing, so that a query worker can load it without the HTTP server.
 */

/** Gets a piece, all of its buffer; may take its time over it. */
export type TakePiece = (piece: Uint8Array<ArrayBuffer>) => unknown;

/** What is given away has about so many bytes, or characters where it is text. */
export const PIECE_SIZE_MIN = 1024 * 1024;

const encoder = new TextEncoder();

/** Text, as UTF-8. */
export class PieceText {
  readonly #take: TakePiece | null;
  #text = '';

  /** @param take  null keeps all of it until the end */
  constructor(take: TakePiece | null) {
    this.#take = take;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#take === null || this.#text.length < PIECE_SIZE_MIN) return;
    this.#take(encoder.encode(this.#text));
    this.#text = '';
  }

  /** @returns all of it, or what comes after the last piece */
  end(): Uint8Array {
    return encoder.encode(this.#text);
  }
}
