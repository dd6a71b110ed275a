import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { listen, ListenError } from '../../web/index.ts';
import { fakeHouse, listenLocally } from './fake-house.ts';

describe('a listener', () => {
  test('stands at several addresses in front of one app', async () => {
    const house = fakeHouse();
    const anywhere = { host: '127.0.0.1', port: 0 };
    const listener = await listen(house.app, [anywhere, anywhere], house.options);
    for (const { port } of listener.addresses) {
      const response = await fetch(`http://127.0.0.1:${port}/-/healthy`);
      expect(response.status).toBe(200);
    }
    await listener.close();
  });

  test('says which port is in use, and which flag chooses another', async () => {
    const { url, listener } = await listenLocally(fakeHouse());
    const port = Number(new URL(url).port);
    const second = fakeHouse();
    const opening = listen(second.app, [{ host: '127.0.0.1', port }], second.options);
    await expect(opening).rejects.toThrow(ListenError);
    await expect(opening).rejects.toThrow(
      `listen tcp 127.0.0.1:${port}: bind: address already in use ` +
        `(port ${port}; choose another with --web.listen-address)`,
    );
    await listener.close();
  });

  test('counts connections, and lets no more in at a time than it may', async () => {
    const house = fakeHouse({}, { connectionCountMax: 2 });
    const { url, listener } = await listenLocally(house);
    const port = Number(new URL(url).port);
    const sockets = [];
    for (let i = 0; i < 2; i++) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      sockets.push(socket);
    }
    const third = connect(port, '127.0.0.1');
    third.setEncoding('utf8');
    third.write('GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n');
    let answer = '';
    third.on('data', (text: string) => (answer += text));
    await setTimeout(100);
    expect(answer).toBe('');
    const accepted = house.registry
      .snapshot()
      .find(({ name }) => name === 'net_conntrack_listener_conn_accepted_total');
    expect(accepted?.samples).toEqual([{ labels: ['http'], value: 2 }]);
    // Its turn comes as soon as another one leaves.
    sockets[0]!.destroy();
    await vi.waitFor(() => expect(answer).toMatch(/^HTTP\/1.1 200 OK/));
    for (const socket of [...sockets, third]) socket.destroy();
    await listener.close();
  });

  test('lets a request finish that is under way when it closes', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Uint8Array>();
    const instant = () => {
      asked.resolve();
      return answer.promise;
    };
    const { url, listener } = await listenLocally(fakeHouse({ query: { instant } }));
    const response = fetch(`${url}/api/v1/query?query=up`);
    await asked.promise;
    const closed = listener.close();
    answer.resolve(new TextEncoder().encode('{"status":"success"}'));
    expect(await (await response).text()).toBe('{"status":"success"}');
    await closed;
    await expect(fetch(`${url}/-/healthy`)).rejects.toThrow();
  });
});
