/** `--help`: the flags by group, wrapped to 80 columns. */
import { FLAGS } from './flag-table.ts';
import { FLAG_GROUPS, type Flag } from './flag.ts';

const INDENT = ' '.repeat(33);
const WIDTH = 80;

/** @param all  also the flags that are usually hidden */
export function helpText(all: boolean): string {
  const lines = [
    'usage: narthex [<flags>]',
    '',
    'A monitoring server that speaks Prometheus.',
    '',
    'General',
    ...entry(
      '-h, --[no-]help',
      `Show this help${all ? '' : '; --help-long shows hidden flags too'}.`,
    ),
    ...entry('    --[no-]version', 'Show the version.'),
  ];
  for (const group of FLAG_GROUPS) {
    if (group !== 'General') lines.push('', group);
    for (const [name, flag] of Object.entries(FLAGS) as [string, Flag][]) {
      if (flag.group !== group || (flag.hidden && !all)) continue;
      lines.push(...entry(`    --${synopsis(name, flag)}`, description(flag)));
    }
  }
  return `${lines.join('\n')}\n`;
}

function synopsis(name: string, flag: Flag): string {
  if (flag.type === 'switch') return `[no-]${name}`;
  const { kind } = flag;
  if (flag.type === 'list') {
    const initial = flag.initial.map((value) => kind.print(value)).join(',');
    return `${name}=${initial === '' ? kind.placeholder : initial} ...`;
  }
  if (flag.placeholder !== undefined) return `${name}=${flag.placeholder}`;
  if (flag.initial === undefined) return `${name}=${kind.placeholder}`;
  const initial = kind.print(flag.initial);
  return `${name}=${initial === '' || initial.includes(' ') ? JSON.stringify(initial) : initial}`;
}

function description(flag: Flag): string {
  let text = flag.help;
  if (flag.type === 'switch' && flag.initial) text += ' On by default.';
  if (flag.mode === 'agent') text += ' Agent mode only.';
  if (flag.ours) text += ' [Narthex only]';
  if (flag.withoutEffect !== undefined) text += ` [not yet effective: ${flag.withoutEffect}]`;
  return text;
}

function entry(left: string, text: string): string[] {
  const lines: string[] = [];
  let line = `  ${left}`.padEnd(INDENT.length);
  if (!line.endsWith(' ')) {
    lines.push(line);
    line = INDENT;
  }
  let room = true;
  for (const word of text.split(' ')) {
    if (!room && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = INDENT;
      room = true;
    }
    line += room ? word : ` ${word}`;
    room = false;
  }
  lines.push(line);
  return lines;
}
