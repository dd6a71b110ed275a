/**
 * Which exposition format a reader gets, by its Accept header.
 *
 * As Prometheus 3.14 does it: protobuf to who asks for it, text 0.0.4 to everybody else; the
 * escaping scheme comes from the `escaping` parameter of the entry that was chosen, or of any.
 * OpenMetrics is an addition of ours. It is given only to a reader that accepts no plain text,
 * because in OpenMetrics a counter's metadata loses the `_total` of its name, and tools that look
 * it up under the full name would no longer find it.
 */
import { ESCAPING_SCHEMES, type EscapingScheme } from './names.ts';

export type ExpositionKind = 'text' | 'openmetrics' | 'protobuf';
export type ExpositionFormat = {
  readonly kind: ExpositionKind;
  readonly escaping: EscapingScheme;
};

const CONTENT_TYPES: Readonly<Record<ExpositionKind, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  protobuf:
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
};

export function contentTypeOf({ kind, escaping }: ExpositionFormat): string {
  return `${CONTENT_TYPES[kind]}; escaping=${escaping}`;
}

type Accepted = {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
};

/** `kinds` are those that the caller can write; text is always among them. */
export function negotiateFormat(
  accept: string | undefined,
  kinds: readonly ExpositionKind[],
): ExpositionFormat {
  const entries = parseAccept(accept ?? '');
  const escaping = escapingOf(entries);
  for (const entry of entries) {
    const kind = kindOf(entry);
    if (kind === 'protobuf' && kinds.includes(kind)) return { kind, escaping };
    if (kind === 'text') return { kind, escaping };
  }
  const wantsOpenMetrics = entries.some((entry) => kindOf(entry) === 'openmetrics');
  const takesText = entries.some((entry) => kindOf(entry) === 'text');
  if (wantsOpenMetrics && !takesText && kinds.includes('openmetrics')) {
    return { kind: 'openmetrics', escaping };
  }
  return { kind: 'text', escaping };
}

function kindOf({ type, parameters }: Accepted): ExpositionKind | null {
  switch (type) {
    case 'text/plain':
    case 'text/*':
    case '*/*':
      return 'text';
    case 'application/openmetrics-text':
      return parameters.get('version') === '0.0.1' ? null : 'openmetrics';
    case 'application/vnd.google.protobuf': {
      const isFamily = parameters.get('proto') === 'io.prometheus.client.MetricFamily';
      return isFamily && parameters.get('encoding') === 'delimited' ? 'protobuf' : null;
    }
    default:
      return null;
  }
}

function escapingOf(entries: readonly Accepted[]): EscapingScheme {
  for (const { parameters } of entries) {
    const asked = parameters.get('escaping');
    const known = ESCAPING_SCHEMES.find((scheme) => scheme === asked);
    if (known !== undefined) return known;
  }
  return 'underscores';
}

/** Entries that are acceptable at all, preferred ones first. */
function parseAccept(header: string): Accepted[] {
  const entries: Accepted[] = [];
  for (const part of header.split(',')) {
    const [type = '', ...rest] = part.split(';').map((text) => text.trim());
    if (type === '') continue;
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const [name = '', value = ''] = parameter.split('=').map((text) => text.trim());
      parameters.set(name.toLowerCase(), value.replace(/^"|"$/g, ''));
    }
    const quality = Number(parameters.get('q') ?? 1);
    if (quality > 0) entries.push({ type: type.toLowerCase(), parameters, quality });
  }
  return entries.sort((a, b) => b.quality - a.quality);
}
