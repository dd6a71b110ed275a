/** Writes one section piece by piece: the length is put in afterwards, the checksum grows along. */
import { ByteWriter, crc32c } from '../../model/index.ts';
import type { BufferedWriter } from '../io/buffered-writer.ts';

const PIECE_SIZE_BYTES = 64 * 1024;

export class SectionWriter {
  /** Content goes in here; call {@link settle} now and then. */
  readonly piece = new ByteWriter(2 * PIECE_SIZE_BYTES);
  readonly #out: BufferedWriter;
  readonly #start: number;
  #sizeBytes = 0;
  #checksum = 0;

  constructor(out: BufferedWriter) {
    this.#out = out;
    this.#start = out.position;
    out.append(new Uint8Array(4));
  }

  /** Passes the piece on when it has become large. */
  settle(): void {
    if (this.piece.length >= PIECE_SIZE_BYTES) this.#flush();
  }

  finish(): void {
    this.#flush();
    const { piece } = this;
    piece.putUint32(this.#checksum);
    this.#out.append(piece.view());
    piece.clear();
    piece.putUint32(this.#sizeBytes);
    this.#out.patch(this.#start, piece.view());
  }

  #flush(): void {
    const { piece } = this;
    this.#checksum = crc32c(piece.bytes, 0, piece.length, this.#checksum);
    this.#sizeBytes += piece.length;
    this.#out.append(piece.bytes, 0, piece.length);
    piece.clear();
  }
}
