/**
 * Exposition formats, written. Depends on model alone, so that a query worker can load it without
 * the HTTP server.
 */
export { type EscapingScheme, unescapeName } from './names.ts';
export {
  contentTypeOf,
  type ExpositionFormat,
  type ExpositionKind,
  negotiateFormat,
} from './negotiate.ts';
export { writeFamiliesOpenMetrics, writeFamiliesText } from './family-text.ts';
export { writeFamiliesProtobuf } from './own-message.ts';
export { type FederatedSample, writeFederation } from './federation.ts';
