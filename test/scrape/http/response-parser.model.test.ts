/** Responses are read alike whole and in pieces of any size, and as `node:http` reads them. */
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BadResponse,
  type ResponseHead,
  ResponseParser,
} from '../../../scrape/http/response-parser.ts';

type Read = { head: ResponseHead | null; body: string; isComplete: boolean };

/** Feeds pieces that end at `cuts`, then the end of the connection. */
function read(bytes: Uint8Array, cuts: readonly number[]): Read {
  const result: Read = { head: null, body: '', isComplete: false };
  const parser = new ResponseParser({
    onHead: (head) => (result.head = head),
    onBody: (piece, start, end) => {
      result.body += Buffer.from(piece.subarray(start, end)).toString('latin1');
    },
    onEnd: () => (result.isComplete = true),
  });
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1))), bytes.length];
  let start = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    // Somewhere in the middle of a larger buffer, as data arrives.
    const buffer = new Uint8Array(end - start + 20).fill(0x41);
    buffer.set(bytes.subarray(start, end), 10);
    parser.feed(buffer, 10, 10 + end - start);
    start = end;
    if (parser.isDone) break;
  }
  parser.end();
  return result;
}

const body = fc.string({ unit: 'binary-ascii', maxLength: 60 });
const chunked = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 }), {
  maxLength: 4,
});
const response = fc.oneof(
  body.map((text) => ({
    wire: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    text,
  })),
  chunked.map((parts) => ({
    wire:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
      parts.map((part) => `${part.length.toString(16)};x=y\r\n${part}\r\n`).join('') +
      '0\r\nTrailer: x\r\n\r\n',
    text: parts.join(''),
  })),
  body.map((text) => ({ wire: `HTTP/1.0 200\r\nX: y\r\n\r\n${text}`, text })),
  body.map((text) => ({
    wire: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Here\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    text,
  })),
);

test('pieces make no difference', () => {
  fc.assert(
    fc.property(response, fc.array(fc.nat(300), { maxLength: 8 }), ({ wire, text }, cuts) => {
      const bytes = Buffer.from(wire, 'latin1');
      const whole = read(bytes, []);
      expect(whole.body).toBe(text);
      expect(whole.isComplete).toBe(true);
      const pieces = read(bytes, cuts);
      expect(pieces.head).toEqual(whole.head);
      expect(pieces.body).toBe(text);
      expect(pieces.isComplete).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('whatever bytes come, it reads them or says that they are not HTTP', () => {
  const spoiled = fc
    .tuple(response, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }))
    .map(([{ wire }, changes]) => {
      const bytes = Buffer.from(wire, 'latin1');
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(spoiled, fc.array(fc.nat(300), { maxLength: 3 }), (bytes, cuts) => {
      const outcome = (at: readonly number[]) => {
        try {
          return read(bytes, at);
        } catch (error) {
          expect(error).toBeInstanceOf(BadResponse);
          return null;
        }
      };
      const whole = outcome([]);
      const pieces = outcome(cuts);
      expect(pieces === null).toBe(whole === null);
      expect(pieces?.body).toBe(whole?.body);
    }),
    { numRuns: 2000 },
  );
});

describe('a response', () => {
  test.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 'bad Content-Length'],
    ['HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n', 'bad Content-Length'],
    ['HTTP/1.1 200 OK\r\nno colon\r\n\r\n', 'malformed HTTP response'],
    ['HTTP/1.1 20 OK\r\n\r\n', 'malformed HTTP response'],
    ['HTTP/2.0 200 OK\r\n\r\n', 'malformed HTTP response'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'malformed HTTP response'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'malformed HTTP response'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, 'headers exceeded the limit'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n', 'invalid byte in chunk length'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab', 'malformed chunked encoding'],
    [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}`, 'too large'],
  ])('%j is refused', (wire, message) => {
    expect(() => read(Buffer.from(wire), [])).toThrow(message);
  });

  test.each([
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    'HTTP/1.1 200 OK\r\nContent-Le',
  ])('%j is incomplete', (wire) => {
    expect(read(Buffer.from(wire), []).isComplete).toBe(false);
  });

  test('without a body ends with its head', () => {
    for (const status of ['204 No Content', '304 Not Modified']) {
      const answer = read(Buffer.from(`HTTP/1.1 ${status}\r\nX: y\r\n\r\nrest`), []);
      expect(answer).toMatchObject({ body: '', isComplete: true });
    }
  });
});

test('the same wire bytes mean the same to node:http', async () => {
  for (const { wire } of fc.sample(response, { numRuns: 40, seed: 1 })) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(wire, 'latin1'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const theirs = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent: false }, (message) => {
        let text = '';
        message.setEncoding('latin1');
        message.on('data', (piece: string) => (text += piece));
        message.on('end', () => resolve({ status: message.statusCode!, text }));
      }).on('error', reject);
    });
    server.close();
    const ours = read(Buffer.from(wire, 'latin1'), [7, 50]);
    expect({ status: ours.head!.status, text: ours.body }).toEqual(theirs);
  }
});
