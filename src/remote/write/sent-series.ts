/**
 * The series of the log as they are to be sent: external labels added, relabelled, their labels as
 * numbers of symbols. Kept in columns, because there are as many as the head has.
 */
import {
  type Labels,
  LabelsBuilder,
  METRIC_TYPES,
  type MetricMetadata,
  Relabeler,
  type RelabelConfig,
} from '../../../model/index.ts';
import { NO_SYMBOL, SymbolTable } from './symbol-table.ts';

/** What `find` says of a ref. */
export const UNKNOWN = -1;
export const DROPPED = -2;

/** References up to here are found through an array, others through a map. */
const DENSE_REF_MAX = 1 << 26;

export class SentSeries {
  readonly #relabeler: Relabeler;
  readonly #externalLabels: Readonly<Record<string, string>>;
  readonly #builder = new LabelsBuilder();
  symbols = new SymbolTable();
  /** Of series i: `labelIds[labelStarts[i], labelStarts[i] + labelCounts[i])`, names and values. */
  labelIds = new Uint32Array(16 * 1024);
  labelStarts = new Uint32Array(1024);
  labelCounts = new Uint16Array(1024);
  /** Of series i: type + 1 (0: nothing is known), help, unit. */
  metadata = new Uint32Array(3 * 1024);
  #refs = new Float64Array(1024);
  /** In which segment a series was last named. */
  #segments = new Uint32Array(1024);
  #idEnd = 0;
  #count = 0;
  /** By ref: the series' number + 1, or {@link DROPPED}; 0 for unknown ones. */
  #dense = new Int32Array(1024);
  readonly #sparse = new Map<number, number>();

  constructor(
    relabelConfigs: readonly RelabelConfig[],
    externalLabels: Readonly<Record<string, string>>,
  ) {
    this.#relabeler = new Relabeler(relabelConfigs);
    this.#externalLabels = externalLabels;
  }

  get count(): number {
    return this.#count;
  }

  /** The number of the series, {@link UNKNOWN} or {@link DROPPED}. */
  find(ref: number): number {
    const dense = this.#dense;
    const entry = ref < dense.length ? dense[ref]! : (this.#sparse.get(ref) ?? 0);
    return entry > 0 ? entry - 1 : entry === 0 ? UNKNOWN : DROPPED;
  }

  add(ref: number, labels: Labels, segment: number): void {
    const known = this.find(ref);
    if (known >= 0) this.#segments[known] = segment;
    if (known !== UNKNOWN) return;
    const sent = this.#relabel(labels);
    if (sent === null || sent.size === 0) {
      this.#set(ref, DROPPED);
      return;
    }
    const { symbols } = this;
    this.#addIds(
      ref,
      segment,
      sent.flat.map((text) => symbols.intern(text)),
    );
  }

  setMetadata(ref: number, { type, help, unit }: MetricMetadata): void {
    const series = this.find(ref);
    if (series < 0) return;
    this.metadata[series * 3] = METRIC_TYPES.indexOf(type) + 1;
    this.metadata[series * 3 + 1] = this.symbols.intern(help);
    this.metadata[series * 3 + 2] = this.symbols.intern(unit);
  }

  /**
   * Forgets series that were last named before `segment`, unless `keeps` says otherwise, with all
   * texts that only they had. The numbers of the others change.
   * @returns old number → new number, or -1
   */
  forgetBefore(segment: number, keeps: (ref: number, series: number) => boolean): Int32Array {
    const old = { ...this.#columns(), texts: this.symbols.texts(), count: this.#count };
    const moved = new Int32Array(old.count).fill(-1);
    // Those that are not sent stay as they are: they take four bytes each.
    for (let i = 0; i < old.count; i++) this.#forget(old.refs[i]!);
    this.symbols = new SymbolTable();
    this.labelIds = new Uint32Array(16 * 1024);
    this.#idEnd = 0;
    this.#count = 0;
    const { symbols } = this;
    for (let i = 0; i < old.count; i++) {
      const ref = old.refs[i]!;
      if (old.segments[i]! < segment && !keeps(ref, i)) continue;
      const start = old.labelStarts[i]!;
      const ids: number[] = [];
      for (let at = start; at < start + old.labelCounts[i]!; at++) {
        ids.push(symbols.intern(old.texts[old.labelIds[at]!]!));
      }
      const type = old.metadata[i * 3]!;
      const help = old.texts[old.metadata[i * 3 + 1]!]!;
      const unit = old.texts[old.metadata[i * 3 + 2]!]!;
      moved[i] = this.#addIds(ref, old.segments[i]!, ids);
      this.metadata.set([type, symbols.intern(help), symbols.intern(unit)], moved[i]! * 3);
    }
    return moved;
  }

  #relabel(labels: Labels): Labels | null {
    const builder = this.#builder;
    builder.reset(labels);
    for (const [name, value] of Object.entries(this.#externalLabels)) {
      if (builder.get(name) === '') builder.set(name, value);
    }
    return this.#relabeler.applyTo(builder) ? builder.build() : null;
  }

  #addIds(ref: number, segment: number, ids: readonly number[]): number {
    const series = this.#count++;
    this.#reserve(ids.length);
    this.labelStarts[series] = this.#idEnd;
    this.labelCounts[series] = ids.length;
    this.labelIds.set(ids, this.#idEnd);
    this.#idEnd += ids.length;
    this.metadata.fill(NO_SYMBOL, series * 3, series * 3 + 3);
    this.#refs[series] = ref;
    this.#segments[series] = segment;
    this.#set(ref, series + 1);
    return series;
  }

  #set(ref: number, entry: number): void {
    if (ref >= DENSE_REF_MAX) {
      this.#sparse.set(ref, entry);
      return;
    }
    if (ref >= this.#dense.length) this.#dense = grown(this.#dense, Int32Array, ref + 1);
    this.#dense[ref] = entry;
  }

  #forget(ref: number): void {
    if (ref >= DENSE_REF_MAX) this.#sparse.delete(ref);
    else this.#dense[ref] = 0;
  }

  #columns() {
    return {
      refs: this.#refs.slice(0, this.#count),
      segments: this.#segments.slice(0, this.#count),
      labelStarts: this.labelStarts.slice(0, this.#count),
      labelCounts: this.labelCounts.slice(0, this.#count),
      metadata: this.metadata.slice(0, this.#count * 3),
      labelIds: this.labelIds,
    };
  }

  #reserve(idCount: number): void {
    if (this.#idEnd + idCount > this.labelIds.length) {
      this.labelIds = grown(this.labelIds, Uint32Array, this.#idEnd + idCount);
    }
    const count = this.#count;
    if (count <= this.#refs.length) return;
    this.#refs = grown(this.#refs, Float64Array, count);
    this.#segments = grown(this.#segments, Uint32Array, count);
    this.labelStarts = grown(this.labelStarts, Uint32Array, count);
    this.labelCounts = grown(this.labelCounts, Uint16Array, count);
    this.metadata = grown(this.metadata, Uint32Array, count * 3);
  }
}

type Numbers = Uint16Array | Uint32Array | Int32Array | Float64Array;

/** A copy with room for at least `needed` and for as many again as there were. */
function grown<T extends Numbers>(from: T, kind: new (length: number) => T, needed: number): T {
  const to = new kind(Math.max(needed, from.length * 2));
  to.set(from);
  return to;
}
