/** Colours of series: neighbours differ in hue and in lightness, and all can be told from the ground. */
const LIGHT = [
  '#1273b5',
  '#d9480f',
  '#2b8a3e',
  '#9c36b5',
  '#0b8f8f',
  '#c92a5b',
  '#a87900',
  '#4c51c6',
  '#5f8a1a',
  '#b0472f',
  '#1b84c4',
  '#7048a8',
  '#2f7d6b',
  '#8a5a2b',
  '#d6336c',
  '#586b78',
] as const;
const DARK = [
  '#55b1ec',
  '#ff8f4d',
  '#5fcb7a',
  '#cf8be8',
  '#3fd0cd',
  '#ff7aa3',
  '#e3b341',
  '#9aa0ff',
  '#a5cf56',
  '#f2917c',
  '#7fc8ff',
  '#b893ec',
  '#6fcbb4',
  '#cfa06a',
  '#ff8fbf',
  '#a3b3bd',
] as const;

export function seriesColor(index: number, isDark: boolean): string {
  const palette = isDark ? DARK : LIGHT;
  return palette[index % palette.length]!;
}
