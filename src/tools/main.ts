/** The commands behind `narthex <command>`, under one door. Each loads its own code when it runs. */
import { PROCESS_OUTPUT } from './process-output.ts';

/** @returns the exit code */
type Command = (args: readonly string[]) => Promise<number>;

const print = (line: string): void => PROCESS_OUTPUT.out(`${line}\n`);

const COMMANDS: Readonly<Record<string, Command>> = {
  'test promql': async (args) => {
    const { testPromql } = await import('./test-promql.ts');
    return testPromql(args, print);
  },
  'check config': async (args) => (await import('./check.ts')).checkConfig(args, PROCESS_OUTPUT),
  'check rules': async (args) => (await import('./check.ts')).checkRules(args, PROCESS_OUTPUT),
  'check notifications': async (args) =>
    (await import('./check.ts')).checkNotifications(args, PROCESS_OUTPUT),
  'tsdb list': async (args) => (await import('./tsdb-list.ts')).tsdbList(args, PROCESS_OUTPUT),
  'tsdb analyze': async (args) =>
    (await import('./tsdb-analyze.ts')).tsdbAnalyze(args, PROCESS_OUTPUT),
  'tsdb dump': async (args) => (await import('./tsdb-dump.ts')).tsdbDump(args, PROCESS_OUTPUT),
  'tsdb dump-openmetrics': async (args) =>
    (await import('./tsdb-dump.ts')).tsdbDumpOpenMetrics(args, PROCESS_OUTPUT),
};

/** The command that `args` begin with, bound to the words after its name; undefined for none. */
export function findCommand(args: readonly string[]): (() => Promise<number>) | undefined {
  for (const [name, run] of Object.entries(COMMANDS)) {
    const words = name.split(' ');
    if (words.every((word, index) => args[index] === word)) {
      return () => run(args.slice(words.length));
    }
  }
  return undefined;
}
