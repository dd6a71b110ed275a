/**
 * Loaded into every thread of a server by NODE_OPTIONS: ends the thread that CRASH_THREAD names, by
 * an error that nobody catches, as soon as CRASH_FILE exists.
 */
const { existsSync } = require('node:fs');
const { threadName } = require('node:worker_threads');

if (threadName === process.env.CRASH_THREAD) {
  setInterval(() => {
    if (existsSync(process.env.CRASH_FILE)) throw new Error('struck by a test');
  }, 20).unref();
}
