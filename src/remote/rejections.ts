/**
 * Why parts of a request were refused, as its sender is told: one line per sample with the reason
 * and the series, then how many more there are.
 */

/** More lines help nobody; senders log the first. */
const LINE_COUNT_MAX = 50;

export class Rejections {
  readonly #lines: (() => string)[] = [];
  /** Reason without particulars → how often. */
  readonly #reasons = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param line  asked for when the report is written, if it gets that far */
  add(reason: string, line: () => string): void {
    this.#count++;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    if (this.#lines.length < LINE_COUNT_MAX) this.#lines.push(line);
  }

  /** Null when nothing was refused. */
  write(): string | null {
    if (this.#count === 0) return null;
    const lines = this.#lines.map((line) => line());
    const more = this.#count - lines.length;
    if (more > 0) {
      const reasons = [...this.#reasons].map(([reason, count]) => `${count} × ${reason}`);
      lines.push(`and ${more} more; in all ${reasons.join(', ')}`);
    }
    return lines.join('\n');
  }
}
