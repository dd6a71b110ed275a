/** The functions that Prometheus adds. Source: Prometheus template reference. */
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type * as re2jsModule from 're2js';
import { compareText, messageOf, parseDuration, ValueError } from '../../../model/index.ts';
import { escapeQuery, graphLink, tableLink } from '../table-link.ts';
import { BUILTINS, define } from './builtins.ts';
import type { TemplateFunction } from './execute.ts';
import { formatGoFloat } from './go-format.ts';
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  toNumber,
} from './humanize.ts';
import { CallError, GoDuration, GoStruct, GoTime, isMap, TextMap, type Value } from './values.ts';

export type FunctionContext = {
  /** When the template is expanded. */
  readonly nowMs: number;
  readonly externalUrl: string;
  readonly pathPrefix: string;
  /** The samples of a query. @throws CallError */
  readonly query: (query: string) => readonly GoStruct[];
};

/** A series of a query's answer, as templates see it. */
export function templateSample(labels: Readonly<Record<string, string>>, value: Value): GoStruct {
  return new GoStruct('*template.sample', {
    Labels: new TextMap(Object.entries(labels)),
    Value: value,
  });
}

function labelOf(sample: Value, name: string): string {
  const labels = (sample as GoStruct).fields.get('Labels')!;
  const value = isMap(labels) ? labels.get(name) : '';
  return typeof value === 'string' ? value : '';
}

let re2: typeof re2jsModule | null = null;

/** Loaded when the first expression is used. */
function compile(pattern: string): re2jsModule.RE2JS {
  re2 ??= createRequire(import.meta.url)('re2js') as typeof re2jsModule;
  try {
    return re2.RE2JS.compile(pattern);
  } catch (error) {
    throw new CallError(messageOf(error), { cause: error });
  }
}

/** Go's `$1`, `${1}`, `$name`, `${name}`, `$$`; a name is as long as it can be. */
function expandReplacement(template: string, group: (name: string) => string): string {
  return template.replaceAll(
    /\$(?:(\$)|\{(\w+)\}|(\w+))/g,
    (_, dollar?: string, braced?: string, bare?: string) =>
      dollar === undefined ? group((braced ?? bare)!) : '$',
  );
}

function replaceAll(pattern: string, replacement: string, text: string): string {
  let matcher: re2jsModule.Matcher;
  try {
    matcher = compile(pattern).matcher(text);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const what = `regexp: Compile(\`${pattern}\`): ${error.message}`;
    throw new CallError(what, { cause: error });
  }
  let out = '';
  let from = 0;
  let matchCount = 0;
  while (matcher.find()) {
    // Nothing, right behind a match, is none.
    if (matchCount++ > 0 && matcher.start() === matcher.end() && matcher.end() === from) continue;
    out += text.slice(from, matcher.start());
    out += expandReplacement(replacement, (name) => {
      try {
        return (/^\d+$/.test(name) ? matcher.group(Number(name)) : matcher.group(name)) ?? '';
      } catch {
        // A group that the pattern does not have is empty.
        return '';
      }
    });
    from = matcher.end();
  }
  return out + text.slice(from);
}

/** `host:port` without its port; what is none stays as it is. */
function stripPort(address: string): string {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):[^:[\]]*$/.exec(address);
  return parts === null ? address : (parts[1] ?? parts[2]!);
}

/** `a.example.org:80` becomes `a:80`; an IP address keeps its dots. */
function stripDomain(address: string): string {
  const host = stripPort(address);
  if (isIP(host) !== 0) return address;
  const port = host === address ? '' : address.slice(address.lastIndexOf(':'));
  return host.split('.')[0]! + port;
}

/** Words are those of Unicode: `a.b` and `o'neil` are one word each, `a-b` is two. */
const WORD = /[\p{L}\p{N}\p{M}_]+(?:[.'’:·][\p{L}\p{N}\p{M}_]+)*/gu;

function titleCase(text: string): string {
  return text.replaceAll(WORD, (word) => word.replace(/\p{L}/u, (letter) => letter.toUpperCase()));
}

/** A time that Go can hold, or null. @throws CallError */
function toTime(value: Value): GoTime | null {
  const seconds = toNumber(value);
  if (!Number.isFinite(seconds)) return null;
  const nanos = seconds * 1e9;
  if (nanos > 2 ** 63 || nanos < -(2 ** 63)) {
    throw new CallError(
      `${formatGoFloat(seconds, 'g', -1)} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    );
  }
  return new GoTime(Math.trunc(seconds * 1000));
}

export function templateFunctions(context: FunctionContext): Map<string, TemplateFunction> {
  const { nowMs, externalUrl, pathPrefix, query } = context;
  const number = (shown: (value: number) => Value) =>
    define(['any'], ([value]) => shown(toNumber(value!)));
  const text = (change: (value: string) => Value) =>
    define(['string'], ([value]) => change(value as string));
  const own: Record<string, TemplateFunction> = {
    query: text((value) => query(value)),
    first: define(['samples'], ([samples]) => {
      const [first] = samples as readonly Value[];
      if (first === undefined) throw new CallError('first() called on vector with no elements');
      return first;
    }),
    label: define(['string', 'sample'], ([name, sample]) => labelOf(sample!, name as string)),
    value: define(['sample'], ([sample]) => (sample as GoStruct).fields.get('Value')!),
    strvalue: define(['sample'], ([sample]) => labelOf(sample!, '__value__')),
    sortByLabel: define(['string', 'samples'], ([name, samples]) =>
      (samples as readonly Value[]).toSorted((a, b) =>
        compareText(labelOf(a, name as string), labelOf(b, name as string)),
      ),
    ),
    args: define([], (args) => new Map(args.map((arg, index) => [`arg${index}`, arg])), 'any'),
    safeHtml: text((value) => value),
    humanize: number(humanize),
    humanize1024: number(humanize1024),
    humanizeDuration: number(humanizeDuration),
    humanizePercentage: number(humanizePercentage),
    humanizeTimestamp: define(['any'], ([value]) => {
      const time = toTime(value!);
      return time === null ? formatGoFloat(toNumber(value!), 'g', 4) : time.toString();
    }),
    toTime: define(['any'], ([value]) => toTime(value!)),
    toDuration: number((value) => (Number.isFinite(value) ? new GoDuration(value) : null)),
    now: define([], () => nowMs / 1000),
    title: text(titleCase),
    toUpper: text((value) => value.toUpperCase()),
    toLower: text((value) => value.toLowerCase()),
    stripPort: text(stripPort),
    stripDomain: text(stripDomain),
    match: define(['string', 'string'], ([pattern, value]) =>
      compile(pattern as string)
        .matcher(value as string)
        .find(),
    ),
    reReplaceAll: define(['string', 'string', 'string'], ([pattern, replacement, value]) =>
      replaceAll(pattern as string, replacement as string, value as string),
    ),
    graphLink: text(graphLink),
    tableLink: text(tableLink),
    parseDuration: text((value) => {
      try {
        return parseDuration(value) / 1000;
      } catch (error) {
        if (error instanceof ValueError) throw new CallError(error.message, { cause: error });
        throw error;
      }
    }),
    urlQueryEscape: text(escapeQuery),
    externalURL: define([], () => externalUrl),
    pathPrefix: define([], () => pathPrefix),
  };
  return new Map(Object.entries({ ...BUILTINS, ...own }));
}

/** Which functions there are, for checking a template before there is anything to expand. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(
  templateFunctions({ nowMs: 0, externalUrl: '', pathPrefix: '', query: () => [] }).keys(),
);
