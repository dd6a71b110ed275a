/** The whole configuration file, and the rules between its sections. */
import {
  alertingConfig,
  otlpConfig,
  runtimeConfig,
  storageConfig,
  tracingConfig,
} from './section-shapes.ts';
import { isNull } from './document.ts';
import { defaultGlobal, globalConfig, type GlobalValues } from './global-shape.ts';
import { remoteRead, remoteWrite } from './remote-shape.ts';
import { filePath } from './scalar-types.ts';
import {
  completeScrapeConfig,
  PROTOBUF_FIRST,
  scrapeConfig,
  type ScrapeValues,
} from './scrape-shape.ts';
import {
  field,
  type Infer,
  list,
  listOf,
  object,
  type ObjectType,
  optional,
  type Place,
  shown,
} from './type.ts';

const globPath = {
  ...filePath,
  expected: 'a path whose last part may hold a *',
};

const rulePath: typeof filePath = {
  ...globPath,
  read(place) {
    const file = filePath.read(place);
    if (!/^[^*]*(?:\*[^/]*)?$/.test(file)) {
      place.fail(`invalid rule file path ${JSON.stringify(file)}, expected ${this.expected}`);
    }
    return file;
  },
};

const jobs = field(listOf(scrapeConfig, 'scrape config section'), []);

/** `otlp:` with nothing behind it sets its defaults aside, too; it is then not printed. */
const openOtlp: typeof otlpConfig = {
  ...otlpConfig,
  readsNull: true,
  read(place) {
    if (!isNull(place.node)) return otlpConfig.read(place);
    return {
      ...otlpConfig.initial(),
      translation_strategy: '',
      label_name_underscore_sanitization: false,
      label_name_preserve_multiple_underscores: false,
    };
  },
};

const fields = {
  global: shown(globalConfig, defaultGlobal()),
  runtime: field(runtimeConfig, runtimeConfig.initial()),
  alerting: field(alertingConfig, alertingConfig.initial()),
  rule_files: field(list(rulePath), []),
  scrape_config_files: field(list(globPath), []),
  scrape_configs: jobs,
  storage: shown(storageConfig, storageConfig.initial()),
  tracing: optional(tracingConfig),
  remote_write: field(listOf(remoteWrite, 'remote write config section'), []),
  remote_read: field(listOf(remoteRead, 'remote read config section'), []),
  otlp: field(openOtlp, otlpConfig.initial()),
};
const configFile = object(fields);
export type FileValues = Infer<typeof configFile>;

/**
 * @param isAgent          some sections make no sense there and are refused
 * @param prefersProtobuf  whether jobs that name no protocol ask for protobuf first
 */
export function configFileType(
  isAgent: boolean,
  prefersProtobuf = false,
): ObjectType<typeof fields> {
  return object(fields, (value, place) => {
    if (isAgent) refuseServerSections(value, place);
    checkOtlp(value, place);
    for (const key of ['remote_write', 'remote_read'] as const) {
      checkUniqueNames(value[key], place.at(key), key.replace('_', ' '));
    }
    const names = new Map<string, string>();
    const protocols = value.global.scrape_protocols ?? (prefersProtobuf ? PROTOBUF_FIRST : null);
    const global = { ...value.global, scrape_protocols: protocols };
    const scrape_configs = completeJobs(value.scrape_configs, global, names, place);
    return { ...value, global, scrape_configs };
  });
}

export function emptyConfigFile(): FileValues {
  return configFile.initial();
}

/** A file that `scrape_config_files` brings in. */
export function jobsFileType(global: GlobalValues, names: Map<string, string>) {
  return object({ scrape_configs: jobs }, (value, place) => ({
    scrape_configs: completeJobs(value.scrape_configs, global, names, place),
  }));
}

/** @param names  job names so far, with the file of each; added to */
function completeJobs(
  written: readonly ScrapeValues[],
  global: GlobalValues,
  names: Map<string, string>,
  place: Place,
): readonly ScrapeValues[] {
  return written.map((job, index) => {
    const jobPlace = place.at('scrape_configs', index);
    const firstFile = names.get(job.job_name);
    if (firstFile !== undefined) {
      const here = firstFile === place.document.file ? '' : `, first found in "${firstFile}"`;
      jobPlace.fail(
        `found multiple scrape configs with job name "${job.job_name}"${here}`,
        'job_name',
      );
    }
    names.set(job.job_name, place.document.file);
    return completeScrapeConfig(job, global, jobPlace);
  });
}

function refuseServerSections(value: FileValues, place: Place): void {
  const refused = {
    alerting: value.alerting.alertmanagers.length + value.alerting.alert_relabel_configs.length,
    rule_files: value.rule_files.length,
    remote_read: value.remote_read.length,
  };
  for (const [section, count] of Object.entries(refused)) {
    if (count > 0) place.fail(`field ${section} is not allowed in agent mode`, section);
  }
}

function checkUniqueNames(
  sections: readonly { readonly name: string }[],
  place: Place,
  what: string,
): void {
  const seen = new Set<string>();
  sections.forEach(({ name }, index) => {
    if (name !== '' && seen.has(name)) {
      place.at(index).fail(`found multiple ${what} configs with job name "${name}"`, 'name');
    }
    seen.add(name);
  });
}

function checkOtlp(value: FileValues, place: Place): void {
  const { translation_strategy: strategy } = value.otlp;
  const needsUtf8 = strategy === 'NoUTF8EscapingWithSuffixes' || strategy === 'NoTranslation';
  if (needsUtf8 && value.global.metric_name_validation_scheme === 'legacy') {
    place
      .at('otlp')
      .fail(
        `OTLP translation strategy "${strategy}" is not allowed when UTF8 is disabled`,
        'translation_strategy',
      );
  }
}
