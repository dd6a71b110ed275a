/** The few lines of the text exposition format that the status page reads. */
export type OwnSamples = {
  readAtMs: number;
  /** Sum over the series of each metric. */
  byName: ReadonlyMap<string, number>;
};

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{.*\})? ([^ ]+)/;

export function parseSamples(text: string, readAtMs: number): OwnSamples {
  const byName = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = LINE.exec(line);
    if (found === null) continue;
    const [, name, value] = found;
    byName.set(name!, (byName.get(name!) ?? 0) + Number(value));
  }
  return { readAtMs, byName };
}

/** How fast a counter grew between two looks, per second; undefined when that cannot be said. */
export function ratePerSecond(
  now: OwnSamples,
  before: OwnSamples | undefined,
  name: string,
): number | undefined {
  const [newer, older] = [now.byName.get(name), before?.byName.get(name)];
  if (newer === undefined || older === undefined || newer < older) return undefined;
  const seconds = (now.readAtMs - before!.readAtMs) / 1000;
  return seconds > 0 ? (newer - older) / seconds : undefined;
}
