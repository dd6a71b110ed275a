/**
 * A ZooKeeper for tests: one tree of nodes, read by getData, getChildren and exists, with watches.
 * Source: Apache ZooKeeper, zookeeper.jute.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

const OPERATION = { exists: 3, getData: 4, getChildren: 8, ping: 11, getChildren2: 12 } as const;
const NO_NODE = -101;
const CHILDREN_CHANGED = 4;
const DATA_CHANGED = 3;
const CONNECTED = 3;

/** Path → data; parents must be there. */
export type ZooKeeperTree = Map<string, string>;

export async function serveZooKeeper(tree: ZooKeeperTree) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let received = Buffer.alloc(0);
    let isConnected = false;
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const frame = received.subarray(4, 4 + received.readInt32BE(0));
        received = received.subarray(4 + frame.length);
        const answer = isConnected ? reply(frame) : connectReply(frame);
        isConnected = true;
        send(socket, answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const reply = (frame: Buffer): Buffer => {
    const xid = frame.readInt32BE(0);
    const operation = frame.readInt32BE(4);
    if (operation === OPERATION.ping) return header(xid, 0);
    if (frame.length < 12) return header(xid, 0);
    const path = frame.toString('utf8', 12, 12 + frame.readInt32BE(8));
    const data = tree.get(path);
    if (data === undefined) return header(xid, NO_NODE);
    const prefix = path === '/' ? '/' : `${path}/`;
    const names = [...tree.keys()]
      .filter((key) => key.startsWith(prefix) && key !== path)
      .map((key) => key.slice(prefix.length))
      .filter((name) => !name.includes('/'));
    const stat = Buffer.alloc(68);
    switch (operation) {
      case OPERATION.exists:
        return Buffer.concat([header(xid, 0), stat]);
      case OPERATION.getData:
        return Buffer.concat([header(xid, 0), text(data), stat]);
      case OPERATION.getChildren:
        return Buffer.concat([header(xid, 0), int(names.length), ...names.map(text)]);
      case OPERATION.getChildren2:
        return Buffer.concat([header(xid, 0), int(names.length), ...names.map(text), stat]);
      default:
        return header(xid, 0);
    }
  };

  const watched = (type: number, path: string) => {
    const event = Buffer.concat([header(-1, 0), int(type), int(CONNECTED), text(path)]);
    for (const socket of sockets) send(socket, event);
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    put(path: string, data: string): void {
      const isNew = !tree.has(path);
      tree.set(path, data);
      if (isNew) watched(CHILDREN_CHANGED, path.replace(/\/[^/]*$/, '') || '/');
      else watched(DATA_CHANGED, path);
    },
    remove(path: string): void {
      tree.delete(path);
      watched(CHILDREN_CHANGED, path.replace(/\/[^/]*$/, '') || '/');
    },
    /** Ends all connections; new ones are taken. */
    drop(): void {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function connectReply(frame: Buffer): Buffer {
  const reply = Buffer.alloc(4 + 4 + 8 + 4 + 16);
  reply.writeInt32BE(frame.readInt32BE(12), 4);
  reply.writeInt32BE(1, 12);
  reply.writeInt32BE(16, 16);
  return reply;
}

function header(xid: number, error: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32BE(xid, 0);
  bytes.writeInt32BE(error, 12);
  return bytes;
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value, 0);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value, 'utf8')]);
}

function send(socket: Socket, body: Buffer): void {
  if (socket.writable) socket.write(Buffer.concat([int(body.length), body]));
}
