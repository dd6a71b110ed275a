/**
 * A reader of ZooKeeper: children and data of nodes, with watches, over one connection.
 *
 *   frame     ┌ length int32 ┬ payload ┐
 *   connect   version int32 · last zxid int64 · timeout ms int32 · session int64 · password buffer
 *   request   xid int32 · operation int32 · body
 *   reply     xid int32 · zxid int64 · error int32 · body      (xid −1: a watch, −2: a ping)
 *   string    length int32 (−1 for none) · UTF-8               buffer and list likewise
 *
 * Source: Apache ZooKeeper, "Programmer's Guide" and zookeeper.jute.
 */
import { connect, type Socket } from 'node:net';
import { ValueError } from '../../../model/index.ts';

const OPERATION = { getData: 4, getChildren: 8, ping: 11 } as const;
const XID_WATCH = -1;
const XID_PING = -2;
const ERROR_NO_NODE = -101;
const FRAME_SIZE_MAX_BYTES = 64 * 1024 * 1024;
const PASSWORD_SIZE_BYTES = 16;
const REPLY_HEADER_SIZE_BYTES = 16;

type Waiting = {
  readonly resolve: (body: Buffer | null) => void;
  readonly reject: (error: unknown) => void;
};

export class ZooKeeperClient {
  readonly #socket: Socket;
  readonly #onChange: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #ping: NodeJS.Timeout | null = null;
  #received: Buffer = Buffer.alloc(0);
  #isConnected = false;
  #nextXid = 1;
  /** Rejects when the connection ends. */
  readonly ended: Promise<never>;
  readonly #connected: Promise<void>;
  #resolveConnected: () => void = () => {};

  /**
   * @param server     `host:port`
   * @param onChange   a node that was read is no longer as it was
   */
  constructor(server: string, timeoutMs: number, onChange: () => void) {
    this.#onChange = onChange;
    const [, host, port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(server)!;
    this.#socket = connect({ host: host!, port: Number(port ?? 2181) });
    let failure: Error | null = null;
    this.ended = new Promise((_, reject) => {
      this.#socket.on('error', (error) => (failure = error));
      this.#socket.once('close', () => {
        const error = failure ?? new ValueError(`${server} closed the connection`);
        if (this.#ping !== null) clearInterval(this.#ping);
        for (const waiting of this.#waiting.values()) waiting.reject(error);
        reject(error);
      });
    });
    this.ended.catch(() => {});
    this.#connected = new Promise((resolve) => (this.#resolveConnected = resolve));
    this.#socket.setTimeout(timeoutMs, () => {
      this.#socket.destroy(new ValueError(`${server} does not answer in time`));
    });
    this.#socket.once('connect', () => this.#write(connectRequest(timeoutMs)));
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  /** Ready for requests. */
  connected(): Promise<void> {
    return Promise.race([this.#connected, this.ended]);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Names below a node, and a watch on them; null when there is no such node. */
  async children(path: string): Promise<string[] | null> {
    const body = await this.#request(OPERATION.getChildren, path);
    if (body === null) return null;
    const names: string[] = [];
    let at = 4;
    for (let count = body.readInt32BE(0); count > 0; count--) {
      const size = Math.max(0, body.readInt32BE(at));
      names.push(body.toString('utf8', at + 4, at + 4 + size));
      at += 4 + size;
    }
    return names;
  }

  /** What a node holds, and a watch on it; null when there is no such node. */
  async data(path: string): Promise<string | null> {
    const body = await this.#request(OPERATION.getData, path);
    if (body === null) return null;
    return body.toString('utf8', 4, 4 + Math.max(0, body.readInt32BE(0)));
  }

  #request(operation: number, path: string): Promise<Buffer | null> {
    const xid = this.#nextXid++;
    const bytes = Buffer.from(path, 'utf8');
    const body = Buffer.alloc(12 + bytes.length + 1);
    body.writeInt32BE(xid, 0);
    body.writeInt32BE(operation, 4);
    body.writeInt32BE(bytes.length, 8);
    bytes.copy(body, 12);
    body[body.length - 1] = 1; // with a watch
    return new Promise((resolve, reject) => {
      this.#waiting.set(xid, { resolve, reject });
      this.#write(body);
    });
  }

  #write(body: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeInt32BE(body.length, 0);
    if (this.#socket.writable) this.#socket.write(Buffer.concat([head, body]));
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= 4) {
      const size = this.#received.readInt32BE(0);
      if (size < 0 || size > FRAME_SIZE_MAX_BYTES) {
        this.#socket.destroy(new ValueError('this is not a ZooKeeper server'));
        return;
      }
      if (this.#received.length < 4 + size) return;
      const frame = this.#received.subarray(4, 4 + size);
      this.#received = this.#received.subarray(4 + size);
      this.#take(frame);
    }
  }

  #take(frame: Buffer): void {
    if (!this.#isConnected) {
      this.#isConnected = true;
      const timeoutMs = frame.readInt32BE(4);
      this.#ping = setInterval(() => this.#write(pingRequest()), timeoutMs / 3).unref();
      this.#resolveConnected();
      return;
    }
    const xid = frame.readInt32BE(0);
    if (xid === XID_WATCH) {
      this.#onChange();
      return;
    }
    const waiting = this.#waiting.get(xid);
    this.#waiting.delete(xid);
    const error = frame.readInt32BE(12);
    if (error === 0) waiting?.resolve(Buffer.from(frame.subarray(REPLY_HEADER_SIZE_BYTES)));
    else if (error === ERROR_NO_NODE) waiting?.resolve(null);
    else waiting?.reject(new ValueError(`the server answers with error ${error}`));
  }
}

function connectRequest(timeoutMs: number): Buffer {
  const body = Buffer.alloc(4 + 8 + 4 + 8 + 4 + PASSWORD_SIZE_BYTES);
  body.writeInt32BE(timeoutMs, 12);
  body.writeInt32BE(PASSWORD_SIZE_BYTES, 24);
  return body;
}

function pingRequest(): Buffer {
  const body = Buffer.alloc(8);
  body.writeInt32BE(XID_PING, 0);
  body.writeInt32BE(OPERATION.ping, 4);
  return body;
}
