/** Stopping in an order in which nothing acknowledged is lost and nobody waits for long. */
import { type Logger, messageOf } from '../model/index.ts';
import { NOTIFICATION_TEXTS } from '../web/index.ts';
import type { Server } from './assemble.ts';
import type { Listeners } from './listeners.ts';

/** How long requests under way may take to end by themselves. */
const WEB_GRACE_MS = 2000;

/**
 * Stops everything that runs. Steps that fail are reported and do not keep the others from stopping.
 * @returns whether all went well
 */
export async function shutDown(
  server: Server,
  listeners: Listeners,
  logger: Logger,
): Promise<boolean> {
  let isGood = true;
  const step = async (what: string, work: () => Promise<unknown> | void) => {
    try {
      logger.info(`Stopping ${what}...`);
      await work();
    } catch (error) {
      isGood = false;
      logger.error(`Stopping ${what} failed`, { err: messageOf(error) });
    }
  };
  server.state.readiness = 'stopping';
  server.metrics.ready.set(0);
  server.notifications.add(NOTIFICATION_TEXTS.stopping);
  server.reloader.stop();
  await step('scrape discovery manager', () => server.discovery.stop());
  // What rules have found is told before everything else ends.
  await step('rules and notifier', () => server.alerting.stop());
  // Queries under way end here, so that their connections can close.
  await step('query workers', () => server.pool.close());
  await step('scraping and storage', () => server.ingest.stop());
  await step('web handler', () => {
    const grace = new Promise((resolve) => setTimeout(resolve, WEB_GRACE_MS).unref());
    return Promise.race([listeners.close(), grace]);
  });
  await step('history', () => {
    server.alertHistory.flush();
    server.queryLog?.close();
    server.activeQueryFile?.close();
    server.fileLoggers.close();
  });
  return isGood;
}
