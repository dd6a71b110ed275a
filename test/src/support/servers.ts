/** Servers that are gone when the test that made them is over. */
import { afterEach } from 'vitest';
import { TestServer } from './server.ts';

/** For one test file; to be called outside its tests. */
export function serversOfTests() {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.remove();
  });
  /** @param program  absent: ours */
  const create = async (config: string, program?: readonly string[]): Promise<TestServer> => {
    const server = await TestServer.create(config, program);
    servers.push(server);
    return server;
  };
  /** The same, and waits until it answers. */
  const start = async (
    config: string,
    program?: readonly string[],
    ...flags: string[]
  ): Promise<TestServer> => {
    const server = await create(config, program);
    await server.startReady(...flags);
    return server;
  };
  return { create, start };
}
