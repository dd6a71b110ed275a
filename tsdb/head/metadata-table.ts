/**
 * Type, unit and help by number. Few differ (one per metric name, not per series), so a series
 * record holds a number and the texts are here, in the writer's thread.
 */
import type { MetricMetadata } from '../../model/index.ts';

export class MetadataTable {
  readonly #entries: MetricMetadata[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of `metadata`, from 1. */
  intern(metadata: MetricMetadata): number {
    const key = `${metadata.type}\n${metadata.unit}\n${metadata.help}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#entries.push(metadata);
      this.#numbers.set(key, number);
    }
    return number;
  }

  get(number: number): MetricMetadata | undefined {
    return this.#entries[number - 1];
  }
}
