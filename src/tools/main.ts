/** The commands behind `narthex <command>`, under one door. Each loads its own code when it runs. */

/** @returns the exit code */
type Command = (args: readonly string[]) => Promise<number>;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const COMMANDS: Readonly<Record<string, Command>> = {
  'test promql': async (args) => {
    const { testPromql } = await import('./test-promql.ts');
    return testPromql(args, print);
  },
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
