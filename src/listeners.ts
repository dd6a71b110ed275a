/** Listening on the addresses of `--web.listen-address`, all of them or none. */
import type { Server } from 'node:http';
import { type Logger, messageOf, NarthexError } from '../model/index.ts';
import type { buildApp } from '../web/index.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';

/** Not imported: that would also load a complete HTTP client (scrape/http/status-codes.ts). */
const { createServer } = process.getBuiltinModule('node:http');

type App = ReturnType<typeof buildApp>;

/** An address cannot be listened on. */
export class ListenError extends NarthexError {
  readonly code = 'LISTEN';
}

export type Listeners = {
  /** Ends at once what is idle, and takes nothing new. */
  close(): Promise<void>;
};

/**
 * @throws ListenError  names the address, the reason and the flag
 */
export async function listenOn(
  app: App,
  addresses: readonly string[],
  options: { readonly connectionCountMax: number; readonly logger: Logger },
): Promise<Listeners> {
  const [first, ...others] = addresses.map(parseListenAddress);
  const more: Server[] = [];
  try {
    await listen(first!, (host) => app.listen({ host, port: first!.port }));
    for (const address of others) {
      const server = createServer((request, response) => app.routing(request, response));
      server.maxConnections = options.connectionCountMax;
      more.push(server);
      await listen(address, (host) => listenServer(server, host, address.port));
    }
  } catch (error) {
    await app.close();
    for (const server of more) server.close();
    throw error;
  }
  for (const { text } of [first!, ...others]) {
    options.logger.info('Listening on', { component: 'web', address: text });
  }
  return {
    close: async () => {
      for (const server of more) {
        server.close();
        server.closeIdleConnections();
      }
      await app.close();
    },
  };
}

async function listen(
  { host, port, text }: ListenAddress,
  start: (host: string) => Promise<unknown>,
): Promise<void> {
  try {
    if (host !== '') {
      await start(host);
      return;
    }
    // Both families where the machine has both.
    await start('::').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL') return start('0.0.0.0');
      throw error;
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'bind: address already in use' : messageOf(error);
    const advice =
      code === 'EADDRINUSE' ? ` (port ${port}; choose another with --web.listen-address)` : '';
    throw new ListenError(`listen tcp ${text}: ${why}${advice}`, { cause: error });
  }
}

function listenServer(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
