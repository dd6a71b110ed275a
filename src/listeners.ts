/** Listening on the addresses of `--web.listen-address`, all of them or none. */
import type { Logger } from '../model/index.ts';
import { type buildApp, listen, type Listener, type WebOptions } from '../web/index.ts';
import { parseListenAddress } from './listen-address.ts';

/**
 * @throws ListenError  names the address, the reason and the flag
 * @throws ValueError   for what is no address
 */
export async function listenOn(
  app: ReturnType<typeof buildApp>,
  texts: readonly string[],
  options: WebOptions,
  logger: Logger,
): Promise<Listener> {
  const listener = await listen(app, texts.map(parseListenAddress), options);
  for (const address of texts) logger.info('Listening on', { component: 'web', address });
  const tls = options.security?.current().tls ?? null;
  const http2 = tls !== null && options.security?.current().http2 === true;
  logger.info(tls === null ? 'TLS is disabled.' : 'TLS is enabled.', { component: 'web', http2 });
  return listener;
}
