/**
 * Service discovery sections: the four without a platform here, those of platforms beside.
 * Source: Prometheus configuration documentation; order of keys and messages from a running 3.14.
 */
import {
  isValidLabelName,
  MINUTE_MS,
  quoteText,
  SECOND_MS,
  ValueError,
} from '../../model/index.ts';
import type { DnsRecordType } from '../../scrape/index.ts';
import { CLOUD_SHAPES } from './discovery-clouds.ts';
import { PLATFORM_SHAPES } from './discovery-platforms.ts';
import { checkHttpClient, checkHttpUrl, HTTP_CLIENT_FIELDS } from './http-client-shape.ts';
import { choice, duration, filePath, int, labelValue, string } from './scalar-types.ts';
import {
  type Field,
  field,
  type Fields,
  type Infer,
  list,
  listOf,
  mapOf,
  object,
  type ObjectType,
  type Place,
  shown,
  type Type,
} from './type.ts';

export const labelSet = mapOf(labelValue, (name) => {
  if (!isValidLabelName(name)) throw new ValueError(`${quoteText(name)} is not a valid label name`);
});

const staticConfig = object({
  targets: shown(list(string), []),
  labels: field(labelSet, {}),
});

/**
 * A URL in place of host:port is a common mistake, unless relabelling makes a parameter of it, as
 * for probes.
 */
export function checkStaticTargets(
  {
    static_configs: groups,
    relabel_configs: rules,
  }: {
    readonly static_configs: readonly StaticValues[];
    readonly relabel_configs: readonly unknown[];
  },
  place: Place,
): void {
  if (rules.length > 0) return;
  groups.forEach(({ targets }, group) =>
    targets.forEach((target, index) => {
      if (!target.includes('/')) return;
      const what = `"${target}" is not a valid hostname`;
      place
        .at('static_configs', group, 'targets', index)
        .fail(`${what}, expected host:port without scheme or path`);
    }),
  );
}

const fileConfig = object(
  {
    files: shown(list(filePath), []),
    refresh_interval: shown(duration, 5 * MINUTE_MS),
  },
  ({ files }, place) => {
    if (files.length === 0) {
      place.fail('file service discovery config must contain at least one path name');
    }
    for (const file of files) {
      if (!/^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/.test(file)) {
        const expected = 'expected a .json, .yml or .yaml file, with at most one * in its name';
        place.fail(`path name "${file}" is not valid for file discovery, ${expected}`, 'files');
      }
    }
  },
);

const httpConfig = object(
  {
    ...HTTP_CLIENT_FIELDS,
    refresh_interval: shown(duration, MINUTE_MS),
    url: shown(string, ''),
  },
  (value, place) => {
    checkHttpUrl(value.url, place);
    return checkHttpClient(value, place);
  },
);

const DNS_TYPES = ['SRV', 'A', 'AAAA', 'MX', 'NS'] as const satisfies readonly DnsRecordType[];
const exactDnsType = choice(DNS_TYPES, (text) => `invalid DNS-SD records type ${text}`);
/** Any case is fine, and printed as it was written. */
const dnsType: Type<string> = {
  ...string,
  expected: exactDnsType.expected,
  read(place) {
    const text = string.read(place);
    return DNS_TYPES.some((known) => known === text.toUpperCase())
      ? text
      : exactDnsType.read(place);
  },
};

const dnsConfig = object(
  {
    names: shown(list(string), []),
    refresh_interval: shown(duration, 30 * SECOND_MS),
    type: shown(dnsType, 'SRV'),
    port: shown(int, 0),
  },
  (value, place) => {
    if (value.names.length === 0) {
      place.fail('DNS-SD config must contain at least one SRV record name');
    }
    if (value.type.toUpperCase() !== 'SRV' && value.port === 0) {
      place.fail('a port is required in DNS-SD configs for all record types except SRV', 'type');
    }
  },
);

/** By the name in front of `_sd_configs`; `static` is the exception, `static_configs`. */
const SHAPES = {
  dns: dnsConfig,
  file: fileConfig,
  http: httpConfig,
  static: staticConfig,
} as const;

const sectionKey = (mechanism: string) =>
  mechanism === 'static' ? 'static_configs' : `${mechanism}_sd_configs`;

function section<F extends Fields>(key: string, shape: ObjectType<F>): Field<readonly unknown[]> {
  const refreshed: Type<Infer<ObjectType<F>>> = {
    ...shape,
    read(place) {
      const value = shape.read(place);
      // Prometheus stops with a panic here; say it while the file is read.
      const isWritten = place.at('refresh_interval') !== place;
      if (isWritten && value['refresh_interval'] === 0) {
        place.fail('refresh_interval must be greater than 0', 'refresh_interval');
      }
      return value;
    },
  };
  return field<readonly unknown[]>(listOf(refreshed, `section in ${key}`) as Type<never>, []);
}

export type StaticValues = Infer<typeof staticConfig>;
export type FileValues = Infer<typeof fileConfig>;
export type HttpSdValues = Infer<typeof httpConfig>;
export type DnsValues = Infer<typeof dnsConfig>;
/** What a section with targets holds, as far as it is read in full. */
export type DiscoveryValues = {
  readonly static_configs: readonly StaticValues[];
  readonly file_sd_configs: readonly FileValues[];
  readonly http_sd_configs: readonly HttpSdValues[];
  readonly dns_sd_configs: readonly DnsValues[];
};
type RunningFields = {
  readonly static_configs: Field<readonly StaticValues[]>;
  readonly file_sd_configs: Field<readonly FileValues[]>;
  readonly http_sd_configs: Field<readonly HttpSdValues[]>;
  readonly dns_sd_configs: Field<readonly DnsValues[]>;
};

const allShapes: Readonly<Record<string, ObjectType<Fields>>> = {
  ...(SHAPES as unknown as Record<string, ObjectType<Fields>>),
  ...CLOUD_SHAPES,
  ...PLATFORM_SHAPES,
};
/** Every mechanism that a configuration may name. */
export const DISCOVERY_MECHANISMS: readonly string[] = Object.keys(allShapes).sort();

/** Spread into the fields of whatever has targets. */
export const DISCOVERY_FIELDS = Object.fromEntries(
  DISCOVERY_MECHANISMS.map((mechanism) => {
    const key = sectionKey(mechanism);
    return [key, section(key, allShapes[mechanism]!)];
  }).sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
) as unknown as RunningFields;

/** The sections in `value` about platforms, clouds and registries. */
export function platformSections(value: object): { mechanism: string; settings: object }[] {
  const configured = value as Readonly<Record<string, readonly object[]>>;
  return DISCOVERY_MECHANISMS.filter((mechanism) => !(mechanism in SHAPES)).flatMap((mechanism) =>
    (configured[sectionKey(mechanism)] ?? []).map((settings) => ({ mechanism, settings })),
  );
}
