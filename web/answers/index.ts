/**
 * Writers of complete API answers that carry many values. Depends on model alone, so that a query
 * worker can load it without the HTTP server, and the main thread never walks the values.
 * Source: Prometheus HTTP API, format overview.
 */
import {
  type Exemplar,
  formatFloat,
  type Labels,
  type Matcher,
  ValueError,
} from '../../model/index.ts';

import { memoize } from '../memoize.ts';
import { PieceText, type TakePiece } from '../piece-writer.ts';

export { type FoundText, searchTexts, type TextSearch } from './text-search.ts';

const encoder = new TextEncoder();

/**
 * Refuses selectors whose every matcher is satisfied by an absent label.
 * @throws ValueError in Prometheus's words
 */
export function requireSelective(matcherSets: readonly (readonly Matcher[])[]): void {
  for (const matchers of matcherSets) {
    if (matchers.every((matcher) => matcher.matchesEmpty)) {
      throw new ValueError('match[] must contain at least one non-empty matcher');
    }
  }
}

/** Quoting many texts in one call is faster; so many at a time are no large piece yet. */
const TEXTS_PER_CALL = 4096;

/**
 * `{"status":"success","data":["a","b"]}`.
 * @param takePiece  null writes all of it at once
 * @returns all of it, or what comes after the last piece
 */
export function writeTextsAnswer(
  texts: readonly string[],
  warnings: readonly string[] = [],
  takePiece: TakePiece | null = null,
): Uint8Array {
  const json = new PieceText(takePiece);
  json.add(`${ENVELOPE_START}[`);
  for (let i = 0; i < texts.length; i += TEXTS_PER_CALL) {
    const list = JSON.stringify(texts.slice(i, i + TEXTS_PER_CALL));
    json.add((i === 0 ? '' : ',') + list.slice(1, -1));
  }
  json.add(`]${envelopeEnd(warnings)}`);
  return json.end();
}

/**
 * `data`: one object per label set.
 * @param takePiece  null writes all of it at once
 * @returns all of it, or what comes after the last piece
 */
export function writeSeriesAnswer(
  labelSets: readonly Labels[],
  warnings: readonly string[] = [],
  takePiece: TakePiece | null = null,
): Uint8Array {
  const quote = memoize(JSON.stringify);
  const json = new PieceText(takePiece);
  json.add(`${ENVELOPE_START}[`);
  labelSets.forEach((labels, i) => json.add((i === 0 ? '' : ',') + labelsJson(labels, quote)));
  json.add(`]${envelopeEnd(warnings)}`);
  return json.end();
}

export type SeriesExemplars = { readonly series: Labels; readonly exemplars: readonly Exemplar[] };

/** `data`: `[{"seriesLabels":{…},"exemplars":[{"labels":{…},"value":"6","timestamp":1.5}]}]`. */
export function writeExemplarsAnswer(found: readonly SeriesExemplars[]): Uint8Array {
  const quote = memoize(JSON.stringify);
  const data = found.map(({ series, exemplars }) => {
    const list = exemplars.map(({ labels, value, timestampMs }) => {
      const shown = JSON.stringify(formatFloat(value));
      const seconds = secondsText(timestampMs ?? 0);
      return `{"labels":${labelsJson(labels, quote)},"value":${shown},"timestamp":${seconds}}`;
    });
    return `{"seriesLabels":${labelsJson(series, quote)},"exemplars":[${list.join(',')}]}`;
  });
  return envelope(`[${data.join(',')}]`, []);
}

const ENVELOPE_START = '{"status":"success","data":';

function envelopeEnd(warnings: readonly string[]): string {
  return warnings.length === 0 ? '}' : `,"warnings":${JSON.stringify(warnings)}}`;
}

function envelope(data: string, warnings: readonly string[]): Uint8Array {
  return encoder.encode(ENVELOPE_START + data + envelopeEnd(warnings));
}

type Quote = (text: string) => string;

function labelsJson({ flat }: Labels, quote: Quote): string {
  let json = '{';
  for (let i = 0; i < flat.length; i += 2) {
    json += `${i === 0 ? '' : ','}${quote(flat[i]!)}:${quote(flat[i + 1]!)}`;
  }
  return `${json}}`;
}

/** Seconds with three decimals where there are any milliseconds: `1.500`, `-0.001`, `7`. */
function secondsText(timestampMs: number): string {
  const magnitude = Math.abs(timestampMs);
  const seconds = Math.floor(magnitude / 1000);
  const milliseconds = magnitude % 1000;
  const sign = timestampMs < 0 ? '-' : '';
  if (milliseconds === 0) return `${sign}${seconds}`;
  return `${sign}${seconds}.${String(milliseconds).padStart(3, '0')}`;
}
