/** Whether every word of the filter occurs in one of the texts. Pure. */
export function passesFilter(filter: string, texts: () => Iterable<string>): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = [...texts()].join('\n').toLowerCase();
  return words.every((word) => haystack.includes(word));
}
