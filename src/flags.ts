/** Command-line flags: the table, reading the command line, and what is derived from the values. */
import { DEFAULT_RETENTION_MS, FLAGS, MAX_BLOCK_DURATION_LIMIT_MS } from './flags/flag-table.ts';
import type { Flag } from './flags/flag.ts';
import type { FlagName, FlagValues } from './flags/parse.ts';

export { chooseFeatures, type ChosenFeatures, type Feature } from './flags/feature-names.ts';
export { flagsPage } from './flags/flags-page.ts';
export { helpText } from './flags/help.ts';
export {
  checkFlags,
  type CommandLine,
  type FlagName,
  type FlagValues,
  parseCommandLine,
  UsageError,
} from './flags/parse.ts';

/** Samples are kept for so long as far as the flags say; 0 means without bound. */
export function retentionOfFlags(values: FlagValues): number {
  const timeMs = values['storage.tsdb.retention.time'];
  const sizeBytes = values['storage.tsdb.retention.size'] ?? 0;
  return timeMs ?? (sizeBytes === 0 ? DEFAULT_RETENTION_MS : 0);
}

/** The flags as they hold at start: where the configuration speaks of retention it is in their place. */
export function withRetention(
  values: FlagValues,
  retention: { readonly timeMs: number; readonly sizeBytes: number } | null,
): FlagValues {
  if (retention === null) return values;
  return {
    ...values,
    'storage.tsdb.retention.time': retention.timeMs,
    'storage.tsdb.retention.size': retention.sizeBytes,
  };
}

export function maxBlockDurationMs(values: FlagValues): number {
  const given = values['storage.tsdb.max-block-duration'];
  if (given !== undefined) return given;
  const retentionMs = retentionOfFlags(values);
  const tenthMs = Math.floor(retentionMs / 10);
  return retentionMs > 0
    ? Math.min(tenthMs, MAX_BLOCK_DURATION_LIMIT_MS)
    : MAX_BLOCK_DURATION_LIMIT_MS;
}

/**
 * What `/api/v1/status/flags` answers: a text per flag. Defaults that depend on other settings are
 * filled in; flags that Prometheus does not know appear only when they were given.
 * @param routePrefix  in force; empty for the root
 */
export function statusFlags(
  values: FlagValues,
  given: ReadonlySet<FlagName>,
  routePrefix: string,
): Record<string, string> {
  const computed: Partial<Record<FlagName, string>> = {
    'web.route-prefix': routePrefix === '' ? '/' : routePrefix,
    'storage.tsdb.retention.time': FLAGS['storage.tsdb.retention.time'].kind.print(
      retentionOfFlags(values),
    ),
    'storage.tsdb.retention.size': FLAGS['storage.tsdb.retention.size'].kind.print(
      values['storage.tsdb.retention.size'] ?? 0,
    ),
    'storage.tsdb.max-block-duration': FLAGS['storage.tsdb.max-block-duration'].kind.print(
      maxBlockDurationMs(values),
    ),
  };
  const texts: Record<string, string> = {};
  for (const [name, flag] of Object.entries(FLAGS) as [FlagName, Flag][]) {
    if (flag.ours && !given.has(name)) continue;
    texts[name] = computed[name] ?? printed(flag, values[name]);
  }
  return texts;
}

function printed(flag: Flag, value: unknown): string {
  if (flag.type === 'switch') return String(value);
  const { kind } = flag;
  if (flag.type === 'value') return kind.print(value);
  return (value as readonly unknown[]).map((item) => kind.print(item)).join(',');
}
