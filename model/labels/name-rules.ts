/**
 * What may be a metric or label name: any non-empty UTF-8 text since Prometheus 3, or the older,
 * narrower set of characters where a configuration asks for the legacy scheme.
 * Source: Prometheus data model documentation.
 */
export type NameScheme = 'utf8' | 'legacy';

const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function isLegacyMetricName(name: string): boolean {
  return LEGACY_METRIC.test(name);
}

export function isLegacyLabelName(name: string): boolean {
  return LEGACY_LABEL.test(name);
}

export function isValidMetricName(name: string, scheme: NameScheme = 'utf8'): boolean {
  return scheme === 'legacy' ? isLegacyMetricName(name) : isUtf8Name(name);
}

export function isValidLabelName(name: string, scheme: NameScheme = 'utf8'): boolean {
  return scheme === 'legacy' ? isLegacyLabelName(name) : isUtf8Name(name);
}

function isUtf8Name(name: string): boolean {
  return name.length > 0 && name.isWellFormed();
}
