/**
 * The labels under which a scraped series is stored: those of the target put on, metric relabelling
 * applied, limits and names checked.
 */
import {
  compareText,
  isValidLabelName,
  isValidMetricName,
  Labels,
  METRIC_NAME,
  type NameScheme,
  quoteText,
  type Relabeler,
} from '../model/index.ts';
import { ExpositionError } from './exposition/exposition-error.ts';
import type { RawLabels } from './exposition/series-text.ts';

export type SampleLabelOptions = {
  /** Of the target, after relabelling, without those that begin with `__`. */
  readonly targetLabels: Labels;
  readonly honorLabels: boolean;
  readonly nameScheme: NameScheme;
  readonly metricRelabeler: Relabeler;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
};

/** More labels than this are hardly ever seen; they are looked up another way. */
const FEW_LABELS = 64;

/** Counted apart, because Prometheus counts how often label limits stop a scrape. */
export class LabelLimitError extends ExpositionError {}

export class SampleLabels {
  readonly #options: SampleLabelOptions;
  // The label set that is being made: names and values side by side, without order.
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** Places by name, once there are so many that looking at each one would be slow. */
  #places: Map<string, number> | null = null;

  constructor(options: SampleLabelOptions) {
    this.#options = options;
  }

  /**
   * The stored labels of a series, or null when metric relabelling drops it.
   * @throws ExpositionError when the series may not be stored; that fails the whole scrape
   */
  of(raw: RawLabels): Labels | null {
    const repeated = this.#take(raw);
    const sentCount = this.#names.length;
    if (this.#options.honorLabels) this.#addMissing(sentCount);
    else this.#addAndRename();
    const labels = this.#options.metricRelabeler.apply(this.#build());
    if (labels === null) return null;
    this.#check(labels);
    if (repeated !== null) {
      throw new ExpositionError(
        `label name ${quoteText(repeated)} is not unique: invalid sample`,
        0,
      );
    }
    return labels;
  }

  /** The labels of a series that the scrape itself gives, such as `up`. */
  ofReport(name: string): Labels {
    return this.#options.targetLabels.with(METRIC_NAME, name);
  }

  /** Starts over with what was sent; returns a name that was sent twice. */
  #take(raw: RawLabels): string | null {
    this.#names.length = 0;
    this.#values.length = 0;
    this.#places = null;
    let repeated: string | null = null;
    for (let i = 0; i < raw.length; i += 2) {
      const at = this.#find(raw[i]!, this.#names.length);
      if (at >= 0) {
        repeated ??= raw[i]!;
        this.#values[at] = raw[i + 1]!;
      } else {
        this.#push(raw[i]!, raw[i + 1]!);
      }
    }
    return repeated;
  }

  /** A label that the target sends wins, even an empty one, which then is absent. */
  #addMissing(sentCount: number): void {
    const { flat } = this.#options.targetLabels;
    for (let i = 0; i < flat.length; i += 2) {
      if (this.#find(flat[i]!, sentCount) < 0) this.#push(flat[i]!, flat[i + 1]!);
    }
  }

  /** Target labels win; what they replace goes on as `exported_…`. */
  #addAndRename(): void {
    const { flat } = this.#options.targetLabels;
    let replaced: [name: string, value: string][] | null = null;
    for (let i = 0; i < flat.length; i += 2) {
      const at = this.#find(flat[i]!, this.#names.length);
      if (at < 0) {
        this.#push(flat[i]!, flat[i + 1]!);
        continue;
      }
      if (this.#values[at] !== '') (replaced ??= []).push([flat[i]!, this.#values[at]!]);
      this.#values[at] = flat[i + 1]!;
    }
    // Short names first, so that `job` and `exported_job` find their places in a fixed order.
    replaced?.sort((a, b) => a[0].length - b[0].length);
    for (const [name, value] of replaced ?? []) {
      let renamed = `exported_${name}`;
      let at: number;
      while ((at = this.#find(renamed, this.#names.length)) >= 0 && this.#values[at] !== '') {
        renamed = `exported_${renamed}`;
      }
      if (at >= 0) this.#values[at] = value;
      else this.#push(renamed, value);
    }
  }

  #push(name: string, value: string): void {
    this.#names.push(name);
    this.#values.push(value);
    const count = this.#names.length;
    if (this.#places !== null) this.#places.set(name, count - 1);
    else if (count > FEW_LABELS) {
      this.#places = new Map(this.#names.map((known, place) => [known, place]));
    }
  }

  /** The place of a name among the first `count`, or -1. */
  #find(name: string, count: number): number {
    if (this.#places !== null) {
      const place = this.#places.get(name) ?? -1;
      return place < count ? place : -1;
    }
    const names = this.#names;
    for (let i = 0; i < count; i++) if (names[i] === name) return i;
    return -1;
  }

  /** Sorted by insertion, empty values left out. */
  #build(): Labels {
    if (this.#places !== null) {
      return Labels.fromPairs(this.#names.map((name, place) => [name, this.#values[place]!]));
    }
    const flat: string[] = [];
    for (let i = 0; i < this.#names.length; i++) {
      const value = this.#values[i]!;
      if (value === '') continue;
      const name = this.#names[i]!;
      let at = flat.length;
      flat.push(name, value);
      for (; at > 0 && compareText(flat[at - 2]!, name) > 0; at -= 2) {
        flat[at] = flat[at - 2]!;
        flat[at + 1] = flat[at - 1]!;
      }
      flat[at] = name;
      flat[at + 1] = value;
    }
    return Labels.fromSorted(flat);
  }

  #check(labels: Labels): void {
    const { nameScheme } = this.#options;
    const metric = labels.get(METRIC_NAME);
    if (metric === '') throw new ExpositionError('missing metric name (__name__ label)', 0);
    let valid = isValidMetricName(metric, nameScheme);
    const { flat } = labels;
    for (let i = 0; i < flat.length; i += 2) {
      valid &&= flat[i] === METRIC_NAME || isValidLabelName(flat[i]!, nameScheme);
    }
    if (!valid) {
      throw new ExpositionError(`invalid metric name or label names: ${labels.toString()}`, 0);
    }
    this.#checkLimits(metric, labels);
  }

  #checkLimits(metric: string, labels: Labels): void {
    const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = this.#options;
    const about = `(metric: ${brief(metric)}`;
    if (labelLimit > 0 && labels.size > labelLimit) {
      throw new LabelLimitError(
        `label_limit exceeded ${about}, number of labels: ${labels.size}, limit: ${labelLimit})`,
        0,
      );
    }
    if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
    for (const [name, value] of labels) {
      const nameLength = Buffer.byteLength(name);
      if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit) {
        throw new LabelLimitError(
          `label_name_length_limit exceeded ${about}, label name: ${brief(name)}, ` +
            `length: ${nameLength}, limit: ${labelNameLengthLimit})`,
          0,
        );
      }
      const valueLength = Buffer.byteLength(value);
      if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit) {
        throw new LabelLimitError(
          `label_value_length_limit exceeded ${about}, label name: ${brief(name)}, ` +
            `value: ${quoteText(brief(value))}, length: ${valueLength}, ` +
            `limit: ${labelValueLengthLimit})`,
          0,
        );
      }
    }
  }
}

/** The first 50 characters. */
function brief(text: string): string {
  return text.length <= 50 ? text : Array.from(text).slice(0, 50).join('');
}
