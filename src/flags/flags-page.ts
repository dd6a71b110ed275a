/** `--write-documentation`: the page about flags, docs/guide/flags.md, which a test keeps true. */
import { FLAGS } from './flag-table.ts';
import { FLAG_GROUPS, type Flag } from './flag.ts';

const HEAD = `# Flags

Names, types and defaults are those of Prometheus 3.14, so what starts a \`prometheus\` starts Narthex.
A switch has a second form with \`no-\` (\`--no-scrape.adjust-timestamps\`); a flag with _repeatable_
beside it can be given several times. What Narthex adds is marked _Narthex only_. Flags that are taken
without having an effect yet say so here, in \`--help\`, and in the log when they are given.

This page is written by \`bin/narthex --write-documentation\`.
`;

export function flagsPage(): string {
  const lines = [HEAD];
  for (const group of FLAG_GROUPS) {
    lines.push(`## ${group}\n`, '| flag | default | what it does |', '| --- | --- | --- |');
    for (const [name, flag] of Object.entries(FLAGS) as [string, Flag][]) {
      if (flag.group !== group || flag.hidden) continue;
      lines.push(`| \`--${name}\` | ${defaultOf(flag)} | ${cell(descriptionOf(flag))} |`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

function defaultOf(flag: Flag): string {
  if (flag.type === 'switch') return flag.initial ? 'on' : 'off';
  const { kind } = flag;
  const text =
    flag.type === 'list'
      ? flag.initial.map((value) => kind.print(value)).join(', ')
      : flag.initial === undefined
        ? ''
        : kind.print(flag.initial);
  return text === '' ? '' : `\`${text}\``;
}

function descriptionOf(flag: Flag): string {
  const notes: string[] = [];
  if (flag.type === 'list') notes.push('repeatable');
  if (flag.mode === 'agent') notes.push('agent mode only');
  if (flag.ours) notes.push('Narthex only');
  if (flag.withoutEffect !== undefined) notes.push(`not yet effective: ${flag.withoutEffect}`);
  return notes.length === 0 ? flag.help : `${flag.help} _${notes.join('; ')}_`;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
