import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fakeHouse, listenLocally } from './fake-house.ts';

const SIZE_BYTES = 12 * 1024 * 1024;

/** A server that answers every query with numbers that it makes anew, and remembers where they lie. */
async function answering(sizeBytes: number) {
  const given: ArrayBuffer[] = [];
  const house = fakeHouse({ query: { instant: async () => made(sizeBytes, given) } });
  const { url, listener } = await listenLocally(house);
  return { given, listener, url: `${url}/api/v1/query?query=up` };
}

function made(sizeBytes: number, given: ArrayBuffer[]): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = 32 + ((i * 7 + (i >> 9)) % 90);
  given.push(bytes.buffer);
  return bytes;
}

async function get(url: string, headers = {}): Promise<IncomingMessage> {
  const [response] = await once(http.get(url, { agent: false, headers }), 'response');
  return response as IncomingMessage;
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) {
    parts.push(part as Buffer);
    // Slower than the server, so that most of the answer waits there.
    if (parts.length % 16 === 0) await setTimeout(1);
  }
  return Buffer.concat(parts);
}

test('a large answer arrives whole, and its memory is free afterwards', async () => {
  const { url, given, listener } = await answering(SIZE_BYTES);
  const body = await bodyOf(await get(url));
  expect(body.equals(made(SIZE_BYTES, []))).toBe(true);
  await expect.poll(() => given[0]!.detached).toBe(true);
  await listener.close();
});

test('so does a compressed one', async () => {
  const { url, given, listener } = await answering(SIZE_BYTES);
  const body = await bodyOf(await get(url, { 'accept-encoding': 'gzip' }));
  expect(gunzipSync(body).equals(made(SIZE_BYTES, []))).toBe(true);
  expect(given[0]!.detached).toBe(true);
  await listener.close();
});

test('answers on one connection, one behind the other, are kept apart', async () => {
  const { url, given, listener } = await answering(SIZE_BYTES / 4);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const expected = made(SIZE_BYTES / 4, []);
  for (let i = 0; i < 3; i++) {
    const [response] = await once(http.get(url, { agent }), 'response');
    expect((await bodyOf(response as IncomingMessage)).equals(expected)).toBe(true);
  }
  await expect.poll(() => given.map(({ detached }) => detached)).toEqual([true, true, true]);
  agent.destroy();
  await listener.close();
});

test('nothing is taken away while the system may be sending it', async () => {
  const { url, given, listener } = await answering(SIZE_BYTES);
  const response = await get(url);
  await once(response, 'data');
  response.pause();
  await setTimeout(20);
  expect(given[0]!.detached).toBe(false);
  response.destroy();
  await setTimeout(20);
  expect(given[0]!.detached).toBe(false);
  await listener.close();
});

test('nor when the server itself cuts the connection', async () => {
  const { url, given, listener } = await answering(SIZE_BYTES);
  const response = await get(url);
  response.on('error', () => {});
  await once(response, 'data');
  response.pause();
  listener.closeAllConnections();
  await setTimeout(20);
  expect(given[0]!.detached).toBe(false);
  await listener.close();
});

test('small answers are left to themselves', async () => {
  const { url, given, listener } = await answering(1000);
  await bodyOf(await get(url));
  await setTimeout(10);
  expect(given[0]!.detached).toBe(false);
  await listener.close();
});
