/**
 * A name server for tests: answers over UDP from a table.
 * Source: RFC 1035, section 4; RFC 2782 (SRV).
 */
import { createSocket, type RemoteInfo } from 'node:dgram';

export type DnsRecord =
  | { readonly type: 'A'; readonly address: string }
  | { readonly type: 'SRV'; readonly target: string; readonly port: number }
  | { readonly type: 'MX'; readonly target: string }
  | { readonly type: 'NS'; readonly target: string };

/** Records by name; `broken` makes the server fail, a name that is not there does not exist. */
export type DnsTable = Map<string, readonly DnsRecord[] | 'broken'>;

const TYPE_NUMBERS = { A: 1, NS: 2, MX: 15, SRV: 33 } as const;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

export async function serveDns(table: DnsTable): Promise<{ address: string; close: () => void }> {
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    socket.send(answer(query, table), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    close: () => socket.close(),
  };
}

function answer(query: Buffer, table: DnsTable): Buffer {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    at += query[at]! + 1;
  }
  const question = query.subarray(12, at + 5);
  const type = query.readUInt16BE(at + 1);
  const found = table.get(labels.join('.').toLowerCase());
  const records =
    found === undefined || found === 'broken'
      ? []
      : found.filter((record) => TYPE_NUMBERS[record.type] === type);
  const code = found === undefined ? NO_SUCH_NAME : found === 'broken' ? SERVER_FAILURE : 0;

  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records.map(encodeRecord)]);
}

function encodeRecord(record: DnsRecord): Buffer {
  const data = encodeData(record);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name of the question
  head.writeUInt16BE(TYPE_NUMBERS[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function encodeData(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number));
    case 'NS':
      return encodeName(record.target);
    case 'MX':
      return Buffer.concat([Buffer.of(0, 10), encodeName(record.target)]);
    case 'SRV': {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(record.port, 4);
      return Buffer.concat([head, encodeName(record.target)]);
    }
  }
}

function encodeName(name: string): Buffer {
  const parts = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...parts, Buffer.of(0)]);
}
