/** Stopping in an order in which nothing acknowledged is lost and nobody waits for long. */
import { type Logger, messageOf } from '../model/index.ts';
import { type Listener, NOTIFICATION_TEXTS } from '../web/index.ts';
import type { Server } from './assemble.ts';

/** How long requests under way may take to end by themselves. */
const WEB_GRACE_MS = 2000;

/**
 * Stops everything that runs. Steps that fail are reported and do not keep the others from stopping.
 * @returns whether all went well
 */
export async function shutDown(
  server: Server,
  listener: Listener,
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
  server.silentRules.stop();
  await step('scrape discovery manager', () => server.discovery.stop());
  // What rules have found is told before everything else ends.
  await step('rules and notifier', () => server.alerting.stop());
  await step('alert history', () => server.alertRecorder.stop());
  // Queries under way end here, so that their connections can close.
  await step('query workers', () => server.pool.close());
  await step('imports', () => server.imports.close());
  await step('uploads', () => server.uploader?.stop());
  await step('scraping and storage', () => server.ingest.stop());
  // The log is complete now, and can be read without the thread that wrote it.
  await step('remote storage', async () => {
    await server.remoteReads.stop();
    await server.remoteWrite.stop();
  });
  await step('web handler', () => {
    const grace = new Promise((resolve) => setTimeout(resolve, WEB_GRACE_MS).unref());
    return Promise.race([listener.close(), grace]);
  });
  // Requests end with the web handler, and their spans with them.
  await step('tracing', () => server.tracing.stop());
  await step('history', () => {
    server.alertHistory.flush();
    server.queryLog?.close();
    server.activeQueryFile?.close();
    server.fileLoggers.close();
  });
  return isGood;
}
