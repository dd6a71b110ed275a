/** What the status endpoints answer, in words and in a sensible order. Pure. */
import type { BuildInfo, RuntimeInfo } from '../../api/status.ts';
import { byteSize } from '../../parts/number-text.ts';

export type Fact = {
  name: string;
  text: string;
  /** An RFC 3339 time, to be shown in the person's zone. */
  isMoment?: boolean;
  tone?: 'ok' | 'bad';
};

const RUNTIME_NAMES: Record<string, string> = {
  startTime: 'Started',
  serverTime: 'Server time',
  hostname: 'Host',
  CWD: 'Working directory',
  reloadConfigSuccess: 'Last configuration reload',
  lastConfigTime: 'Configuration loaded',
  storageRetention: 'Retention',
  corruptionCount: 'Corruptions in the log',
  goroutineCount: 'Goroutines',
  GOMAXPROCS: 'Processors used',
  GOMEMLIMIT: 'Memory limit',
  GOGC: 'GOGC',
  GODEBUG: 'GODEBUG',
};

/** Known facts in our order, then whatever else this server tells. Empty texts are left out. */
export function runtimeFacts(info: RuntimeInfo): Fact[] {
  const known = Object.keys(RUNTIME_NAMES).filter((key) => key in info);
  const others = Object.keys(info).filter((key) => !(key in RUNTIME_NAMES));
  return [...known, ...others]
    .map((key) => runtimeFact(key, info[key]!))
    .filter(({ text }) => text !== '');
}

function runtimeFact(key: string, value: string | number | boolean): Fact {
  const name = RUNTIME_NAMES[key] ?? key;
  const text = String(value);
  switch (key) {
    case 'reloadConfigSuccess':
      return value
        ? { name, text: 'successful', tone: 'ok' }
        : { name, text: 'failed, the old configuration is in force', tone: 'bad' };
    case 'corruptionCount':
      return { name, text, ...(Number(value) > 0 && { tone: 'bad' as const }) };
    case 'GOMEMLIMIT':
      // Go writes the largest number when there is no limit.
      return { name, text: Number(value) > 2 ** 60 ? 'none' : byteSize(Number(value)) };
    case 'startTime':
    case 'serverTime':
    case 'lastConfigTime':
      return { name, text, isMoment: true };
    default:
      return { name, text };
  }
}

const BUILD_NAMES: Record<keyof BuildInfo, string> = {
  version: 'Version',
  revision: 'Revision',
  branch: 'Branch',
  buildUser: 'Built by',
  buildDate: 'Built',
  goVersion: 'Runtime',
};

export function buildFacts(info: BuildInfo): Fact[] {
  return Object.entries(info)
    .map(([key, value]) => ({
      name: BUILD_NAMES[key as keyof BuildInfo] ?? key,
      text: value,
    }))
    .filter(({ text }) => text !== '');
}
