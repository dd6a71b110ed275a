/** `otlp` of the configuration as the receiver needs it. */
import type { Config } from '../config/index.ts';
import type { Strategy } from './otlp-names.ts';
import type { OtlpOptions } from './otlp-translate.ts';

export function otlpOptions(
  config: Config['values']['otlp'],
  {
    takesDeltas,
    totalsDeltas,
    lookbackMs,
  }: {
    readonly takesDeltas: boolean;
    readonly totalsDeltas: boolean;
    readonly lookbackMs: number;
  },
): OtlpOptions {
  return {
    // The configuration was checked when it was read.
    strategy: config.translation_strategy as Strategy,
    sanitizesUnderscores: config.label_name_underscore_sanitization,
    keepsMultipleUnderscores: config.label_name_preserve_multiple_underscores,
    promotesAllAttributes: config.promote_all_resource_attributes,
    promotedAttributes: config.promote_resource_attributes,
    ignoredAttributes: config.ignore_resource_attributes,
    keepsIdentifyingAttributes: config.keep_identifying_resource_attributes,
    convertsHistograms: config.convert_histograms_to_nhcb,
    promotesScope: config.promote_scope_metadata,
    takesDeltas,
    totalsDeltas,
    targetInfoStepMs: lookbackMs / 2,
  };
}
