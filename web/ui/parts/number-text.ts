/** Numbers for people. The table of a query shows the server's own digits instead. */
const SCALES = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'µ'],
  [1e-9, 'n'],
] as const;

/** Four significant digits and a scale letter: 1.234M, 12.5, 340m. */
export function compactNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const absolute = Math.abs(value);
  // 0.05 reads better than 50m; letters for small numbers begin where zeros pile up.
  if (absolute >= 0.01 && absolute < 1000) return plain(value, digits);
  const scale = SCALES.find(([size]) => absolute >= size * 0.999_99);
  if (scale === undefined || absolute >= 1e21) return value.toExponential(2);
  return plain(value / scale[0], digits) + scale[1];
}

function plain(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 1,234,567 */
export function wholeNumber(value: number): string {
  return grouped.format(value);
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function byteSize(sizeBytes: number): string {
  if (!Number.isFinite(sizeBytes)) return compactNumber(sizeBytes);
  let size = sizeBytes;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = Math.abs(size) < 10 ? 2 : 1;
  return `${unit === 0 ? Math.round(size) : size.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** "1 series", "2 targets": English plurals of the words this UI uses. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${wholeNumber(count)} ${count === 1 ? one : many}`;
}
