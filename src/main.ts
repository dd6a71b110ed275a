/**
 * The command line's entry. Loads only the flags by itself, so that questions about them (`--help`,
 * `--version`, a typing mistake) are answered at once.
 */
import { dataDirectoryOf } from './data-directory.ts';
import {
  checkFlags,
  type CommandLine,
  flagsPage,
  helpText,
  parseCommandLine,
  UsageError,
} from './flags.ts';
import { findCommand } from './tools/main.ts';

function readCommandLine(): CommandLine {
  try {
    const line = parseCommandLine(process.argv.slice(2));
    if (line.action === 'run') checkFlags(line.values, line.given);
    return line;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { message, exitCode } = error;
    process.stderr.write(`Error parsing command line arguments: ${message}\n`);
    if (exitCode < 3) process.stderr.write('narthex: error: see narthex --help\n');
    process.exit(exitCode);
  }
}

const command = findCommand(process.argv.slice(2));
if (command !== undefined) process.exit(await command());

const line = readCommandLine();
switch (line.action) {
  case 'help':
  case 'help-all':
    process.stdout.write(helpText(line.action === 'help-all'));
    break;
  case 'version': {
    const { versionText } = await import('./version.ts');
    process.stdout.write(versionText());
    break;
  }
  case 'run':
    if (line.values['write-documentation']) {
      process.stdout.write(flagsPage());
    } else {
      const { IngestClient } = await import('./threads/ingest-client.ts');
      const { startReplayReader } = await import('./threads/start-replay-reader.ts');
      const { 'log.level': level, 'log.format': format } = line.values;
      // Its code loads on another core while this thread loads its own, which is as much again.
      const ingest = new IngestClient({ level, format });
      const reading = line.values.agent ? {} : startReplayReader(dataDirectoryOf(line.values));
      const { openStorageEarly } = await import('./storage-opening.ts');
      const opening = openStorageEarly(line.values, ingest, reading);
      const { runServer } = await import('./run-server.ts');
      process.exit(await runServer(line.values, line.given, ingest, opening));
    }
}
