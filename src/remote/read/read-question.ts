/**
 * A selection, asked of another server (message ReadRequest, fields: read-message.ts; hints below).
 *
 *   ReadHints   1 step (ms)   2 function   3 start (ms)   4 end (ms)   7 range (ms)
 *
 * Source: Prometheus documentation, remote read API; requests of 3.14.
 */
import { MATCH_OPERATORS, ProtobufWriter } from '../../../model/index.ts';
import { type ReadMatcher, SAMPLES, STREAMED_CHUNKS } from '../read-message.ts';

export type ReadQuestion = {
  readonly matchers: readonly ReadMatcher[];
  readonly minMs: number;
  readonly maxMs: number;
  readonly stepMs: number;
  readonly rangeMs: number;
  readonly function: string;
};

export function encodeQuestion(question: ReadQuestion): Uint8Array {
  const { matchers, minMs, maxMs, stepMs, rangeMs } = question;
  const out = new ProtobufWriter();
  out.message(1, () => {
    out.int64(1, minMs);
    out.int64(2, maxMs);
    for (const { name, operator, value } of matchers) {
      out.message(3, () => {
        const type = MATCH_OPERATORS.indexOf(operator);
        if (type > 0) out.uint64(1, type);
        out.text(2, name);
        out.text(3, value);
      });
    }
    out.message(4, () => {
      if (stepMs > 0) out.int64(1, stepMs);
      if (question.function !== '') out.text(2, question.function);
      out.int64(3, minMs);
      out.int64(4, maxMs);
      if (rangeMs > 0) out.int64(7, rangeMs);
    });
  });
  out.message(2, () => {
    out.out.putUvarint(STREAMED_CHUNKS);
    out.out.putUvarint(SAMPLES);
  });
  return out.view();
}
