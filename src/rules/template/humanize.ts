/** Numbers for people. Source: Prometheus template reference; outputs of a running 3.14. */
import { parseFloatText, quoteText } from '../../../model/index.ts';
import { formatGoFloat } from './go-format.ts';
import { CallError, GoDuration, GoInt, typeName, type Value } from './values.ts';

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

const digits = (value: number) => formatGoFloat(value, 'g', 4);

/** A number, or a text that is one. @throws CallError */
export function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoDuration) return value.seconds;
  if (typeof value === 'string') {
    const number = parseFloatText(value);
    if (number !== undefined) return number;
    throw new CallError(`strconv.ParseFloat: parsing ${quoteText(value)}: invalid syntax`);
  }
  throw new CallError(`can't convert ${typeName(value)} to float`);
}

function scaleUp(value: number, base: number, prefixes: readonly string[]): string {
  let scaled = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(scaled) < base) break;
    prefix = next;
    scaled /= base;
  }
  return digits(scaled) + prefix;
}

function scaleDown(value: number): string {
  let scaled = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(scaled) >= 1) break;
    prefix = next;
    scaled *= 1000;
  }
  return digits(scaled) + prefix;
}

export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return digits(value);
  return Math.abs(value) >= 1 ? scaleUp(value, 1000, LARGE) : scaleDown(value);
}

export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return digits(value);
  return scaleUp(value, 1024, BINARY);
}

export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return digits(value);
  if (value === 0) return `${digits(value)}s`;
  if (Math.abs(value) < 1) return `${scaleDown(value)}s`;
  const sign = value < 0 ? '-' : '';
  const whole = Math.trunc(Math.abs(value));
  const seconds = whole % 60;
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600) % 24;
  const days = Math.floor(whole / 86_400);
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${digits(Math.abs(value))}s`;
}

export function humanizePercentage(value: number): string {
  return `${digits(value * 100)}%`;
}
