/** Requests of remote read and OTLP that are damaged anywhere are refused in words, or are others. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NarthexError, snappyDecompress, snappyPlainSize } from '../../../model/index.ts';
import { DeltaToCumulative } from '../../../src/remote/delta-to-cumulative.ts';
import { decodeOtlpJson } from '../../../src/remote/otlp-json.ts';
import { decodeOtlpProtobuf } from '../../../src/remote/otlp-protobuf.ts';
import { decodeReadRequest } from '../../../src/remote/read-message.ts';
import { otlpProtobuf } from './support/otlp-messages.ts';
import { everything } from './support/otlp-requests.ts';
import { encodeReadRequest } from './support/read-messages.ts';

const OTLP = everything(1_700_000_000_000);
const READ_BODY = encodeReadRequest(
  [
    { startMs: 1, endMs: 2, matchers: [['=', 'a', 'b']] },
    {
      startMs: -5,
      endMs: 1e12,
      matchers: [
        ['!~', 'ä', '.*'],
        ['!=', 'x', ''],
      ],
    },
  ],
  [1, 0],
);
const read = (body: Uint8Array) => {
  const plain = new Uint8Array(snappyPlainSize(body, 0, body.length));
  snappyDecompress(body, 0, body.length, plain);
  return decodeReadRequest(plain);
};
const total = (resources: ReturnType<typeof decodeOtlpJson>) => {
  const state = new DeltaToCumulative();
  state.apply(resources, 0);
  state.apply(resources, 1);
};

const harm = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'cut', 'insert'));

test.each([
  ['a remote read', READ_BODY, read],
  ['OTLP as protobuf', otlpProtobuf(OTLP), (body: Uint8Array) => total(decodeOtlpProtobuf(body))],
  [
    'OTLP as JSON',
    Buffer.from(JSON.stringify(OTLP)),
    (body: Uint8Array) => total(decodeOtlpJson(body)),
  ],
] as const)('%s', (_, good, decode) => {
  expect(() => decode(good)).not.toThrow();
  fc.assert(
    fc.property(fc.array(harm, { minLength: 1, maxLength: 3 }), (harms) => {
      let body: Uint8Array = Uint8Array.from(good);
      for (const [place, byte, kind] of harms) {
        const at = place % (body.length + 1);
        if (kind === 'cut') body = body.slice(0, at);
        else if (kind === 'insert')
          body = Buffer.concat([body.subarray(0, at), Buffer.of(byte), body.subarray(at)]);
        else if (at < body.length) body[at] = byte;
      }
      try {
        decode(body);
      } catch (error) {
        expect(error).toBeInstanceOf(NarthexError);
      }
    }),
    { numRuns: 700 },
  );
});
