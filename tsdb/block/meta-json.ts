/**
 * `meta.json` of a block: what it covers, how much it holds and where it came from. Fields we do not
 * know (Thanos keeps its own there) are carried along unchanged.
 *
 *   { ulid, minTime, maxTime,                                  milliseconds, maxTime exclusive
 *     stats: { numSamples, numFloatSamples, numHistogramSamples, numSeries, numChunks, numTombstones },
 *     compaction: { level, sources: [ulid], deletable, parents: [{ulid, minTime, maxTime}], failed, hints },
 *     version: 1 }                                             zeros and empty lists are left out
 *
 * Page: docs/format/meta-json.md. Source: files that Prometheus 2.42 and 3.14 wrote.
 */
import { isDeepStrictEqual } from 'node:util';
import { CorruptionError, messageOf } from '../../model/index.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import type { Files } from '../io/files.ts';
import { isUlid } from './ulid.ts';

export const META_FILE_NAME = 'meta.json';

/** What a block was made of, as far as planning must know. */
export const CompactionHint = {
  FromOutOfOrder: 'from-out-of-order',
  FromStaleSeries: 'from-stale-series',
  FromSelectedSeries: 'from-selected-series',
} as const;

export type BlockStats = {
  readonly sampleCount: number;
  readonly floatSampleCount: number;
  readonly histogramSampleCount: number;
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly tombstoneCount: number;
};

export type BlockParent = { readonly ulid: string; readonly minMs: number; readonly endMs: number };

export type BlockMeta = {
  readonly ulid: string;
  /** First millisecond that the block covers. */
  readonly minMs: number;
  /** First millisecond that it does not cover any more. */
  readonly endMs: number;
  readonly stats: BlockStats;
  readonly compaction: {
    /** How often its samples were compacted; 1 for a block cut from the head. */
    readonly level: number;
    /** The level 1 blocks whose samples it holds, itself if it is one. */
    readonly sources: readonly string[];
    /** Nothing is left in it. */
    readonly deletable: boolean;
    /** The blocks it was merged from directly. */
    readonly parents: readonly BlockParent[];
    /** Compacting it failed; planning leaves it out. */
    readonly failed: boolean;
    readonly hints: readonly string[];
  };
  /** The object as it was read, for the fields not listed here. */
  readonly original?: Readonly<Record<string, unknown>>;
};

/** Of a block that was not made of others. */
export function newCompaction(
  ulid: string,
  hints: readonly string[] = [],
): BlockMeta['compaction'] {
  return { level: 1, sources: [ulid], deletable: false, parents: [], failed: false, hints };
}

/** Whether a block holds only some of its time's samples, so that others may be in the log only. */
export function isPartial({ compaction }: BlockMeta): boolean {
  return Object.values(CompactionHint).some((hint) => compaction.hints.includes(hint));
}

export const EMPTY_STATS: BlockStats = {
  sampleCount: 0,
  floatSampleCount: 0,
  histogramSampleCount: 0,
  seriesCount: 0,
  chunkCount: 0,
  tombstoneCount: 0,
};

const KNOWN_FIELDS = new Set(['ulid', 'minTime', 'maxTime', 'stats', 'compaction', 'version']);

/**
 * The fields that others put into all of these descriptions alike, for a block that takes their place.
 * What they say of one block only does not hold for all that is in the new one.
 */
export function commonForeignFields(
  metas: readonly BlockMeta[],
): Readonly<Record<string, unknown>> {
  const [first, ...others] = metas.map(({ original = {} }) => original);
  return Object.fromEntries(
    Object.entries(first ?? {}).filter(
      ([name, value]) =>
        !KNOWN_FIELDS.has(name) && others.every((other) => isDeepStrictEqual(other[name], value)),
    ),
  );
}

export function encodeMeta(meta: BlockMeta): string {
  const { original = {}, stats, compaction } = meta;
  const object = {
    ...original,
    ulid: meta.ulid,
    minTime: meta.minMs,
    maxTime: meta.endMs,
    stats: {
      ...recordOf(original['stats']),
      numSamples: stats.sampleCount || undefined,
      numFloatSamples: stats.floatSampleCount || undefined,
      numHistogramSamples: stats.histogramSampleCount || undefined,
      numSeries: stats.seriesCount || undefined,
      numChunks: stats.chunkCount || undefined,
      numTombstones: stats.tombstoneCount || undefined,
    },
    compaction: {
      ...recordOf(original['compaction']),
      level: compaction.level,
      sources: compaction.sources.length > 0 ? compaction.sources : undefined,
      deletable: compaction.deletable || undefined,
      parents:
        compaction.parents.length > 0
          ? compaction.parents.map(({ ulid, minMs, endMs }) => ({
              ulid,
              minTime: minMs,
              maxTime: endMs,
            }))
          : undefined,
      failed: compaction.failed || undefined,
      hints: compaction.hints.length > 0 ? compaction.hints : undefined,
    },
    version: 1,
  };
  return JSON.stringify(object, null, '\t');
}

/** @throws CorruptionError naming `file` */
export function decodeMeta(text: string, file: string): BlockMeta {
  const fail = (what: string, cause?: unknown): never => {
    throw new CorruptionError(what, { file, offsetBytes: 0 }, { cause });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return fail(`not valid JSON: ${messageOf(error)}`, error);
  }
  const original = recordOf(parsed);
  const { version } = original;
  if (version !== 1) fail(`unexpected meta file version ${String(version)}`);
  const { ulid } = original;
  if (typeof ulid !== 'string' || !isUlid(ulid)) return fail(`not a block id: ${String(ulid)}`);
  const stats = recordOf(original['stats']);
  const compaction = recordOf(original['compaction']);
  return {
    ulid,
    minMs: numberOf(original['minTime']),
    endMs: numberOf(original['maxTime']),
    stats: {
      sampleCount: numberOf(stats['numSamples']),
      floatSampleCount: numberOf(stats['numFloatSamples']),
      histogramSampleCount: numberOf(stats['numHistogramSamples']),
      seriesCount: numberOf(stats['numSeries']),
      chunkCount: numberOf(stats['numChunks']),
      tombstoneCount: numberOf(stats['numTombstones']),
    },
    compaction: {
      level: numberOf(compaction['level']),
      sources: textsOf(compaction['sources']),
      deletable: compaction['deletable'] === true,
      parents: parentsOf(compaction['parents']),
      failed: compaction['failed'] === true,
      hints: textsOf(compaction['hints']),
    },
    original,
  };
}

/** @throws CorruptionError, or a file error when there is none */
export function readMeta(files: Files, blockDirectory: string): BlockMeta {
  const path = `${blockDirectory}/${META_FILE_NAME}`;
  return decodeMeta(Buffer.from(files.readAll(path)).toString('utf8'), path);
}

export function writeMeta(files: Files, blockDirectory: string, meta: BlockMeta): void {
  const text = new TextEncoder().encode(encodeMeta(meta));
  writeFileAtomic(files, `${blockDirectory}/${META_FILE_NAME}`, text);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : {};
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function parentsOf(value: unknown): BlockParent[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => {
    const { ulid, minTime, maxTime } = recordOf(item);
    return { ulid: String(ulid), minMs: numberOf(minTime), endMs: numberOf(maxTime) };
  });
}
