/**
 * Label sets as senders write them: in any order, with doubles, with bytes that are no text. What
 * Prometheus does not take is refused with its words.
 */
import { compareText, Labels, METRIC_NAME } from '../../model/index.ts';

export type LabelVerdict =
  | { readonly labels: Labels }
  | { readonly labels: null; readonly problem: string };

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Short ASCII texts that were decoded lately, by hash: label names and many values repeat. */
const recent: (string | undefined)[] = Array.from({ length: 4096 });
const RECENT_TEXT_BYTES_MAX = 64;

/**
 * The text of the UTF-8 bytes `[start, end)`; a byte that belongs to no character becomes a lone
 * surrogate.
 */
export function decodeLabelText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > RECENT_TEXT_BYTES_MAX) return decodeNative(bytes.subarray(start, end));
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) {
    if (bytes[at]! >= 0x80) return decodeNative(bytes.subarray(start, end));
    hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  }
  const slot = (hash ^ (hash >>> 15)) & (recent.length - 1);
  const known = recent[slot];
  if (known !== undefined && isTextOf(known, bytes, start, end)) return known;
  const text = asciiText(bytes, start, end);
  recent[slot] = text;
  return text;
}

function isTextOf(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** In one piece: a text that is put together byte by byte has to be taken apart by its readers. */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function decodeNative(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeDamaged(bytes);
  }
}

function decodeDamaged(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = characterSize(bytes, at);
    if (size === 0) text += String.fromCharCode(0xdc00 + bytes[at]!);
    else text += strict.decode(bytes.subarray(at, at + size));
    at += Math.max(1, size);
  }
  return text;
}

/** Bytes of the character that starts at `at`; 0 when none does. */
function characterSize(bytes: Uint8Array, at: number): number {
  if (bytes[at]! < 0x80) return 1;
  for (let size = 2; size <= 4 && at + size <= bytes.length; size++) {
    try {
      strict.decode(bytes.subarray(at, at + size));
      return size;
    } catch {
      // Perhaps it is longer.
    }
  }
  return 0;
}

/** @param flat  names and values by turns, as sent */
export function checkLabels(flat: readonly string[]): LabelVerdict {
  const sorted = sortedByName(flat);
  let hasName = false;
  let isValid = true;
  let hasEmpty = false;
  let doubled: string | null = null;
  for (let i = 0; i < sorted.length; i += 2) {
    const name = sorted[i]!;
    const value = sorted[i + 1]!;
    if (name === METRIC_NAME && value !== '') hasName = true;
    if (name === '' || !name.isWellFormed() || !value.isWellFormed()) isValid = false;
    if (value === '') hasEmpty = true;
    if (i > 0 && name === sorted[i - 2]) doubled ??= name;
  }
  if (!hasName || !isValid) {
    return { labels: null, problem: `invalid metric name or labels, got ${showLabels(sorted)}` };
  }
  if (doubled !== null) {
    const what = `labels ${showLabels(sorted)}, duplicated label ${doubled}`;
    return { labels: null, problem: `invalid labels for series, ${what}` };
  }
  return { labels: Labels.fromSorted(hasEmpty ? withoutEmpty(sorted) : sorted) };
}

/** As Prometheus prints labels, empty and doubled ones included. */
export function showLabels(flat: readonly string[]): string {
  return Labels.fromSorted(sortedByName(flat)).toString();
}

function sortedByName(flat: readonly string[]): readonly string[] {
  let isSorted = true;
  for (let i = 2; i < flat.length && isSorted; i += 2) {
    isSorted = compareText(flat[i - 2]!, flat[i]!) <= 0;
  }
  if (isSorted) return flat;
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
  return pairs.sort((a, b) => compareText(a[0], b[0])).flat();
}

function withoutEmpty(flat: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i + 1] !== '') kept.push(flat[i]!, flat[i + 1]!);
  }
  return kept;
}
