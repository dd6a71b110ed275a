/** Tells the parts of a YAML line apart, well enough to colour what the server prints. Pure. */
export type YamlPart = { kind: 'key' | 'string' | 'number' | 'secret' | 'plain'; text: string };

const KEY = /^(\s*(?:- )*)([^\s:#'"][^:]*:)(?= |$)/;

export function yamlParts(line: string): YamlPart[] {
  const parts: YamlPart[] = [];
  const found = KEY.exec(line);
  let rest = line;
  if (found !== null) {
    parts.push({ kind: 'plain', text: found[1]! }, { kind: 'key', text: found[2]! });
    rest = line.slice(found[0].length);
  }
  if (rest !== '') parts.push({ kind: kindOf(rest.trim().replace(/^- /, '')), text: rest });
  return parts;
}

function kindOf(value: string): YamlPart['kind'] {
  if (value === '<secret>') return 'secret';
  if (/^-?\d[\d.]*(?:[a-zA-Z]{1,2}|(?:\d+[a-z]+)+)?$/.test(value)) return 'number';
  if (value === 'true' || value === 'false' || value === 'null') return 'number';
  return value === '' || value === '|' || value === '>' ? 'plain' : 'string';
}
