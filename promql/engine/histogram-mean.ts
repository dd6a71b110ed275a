import {
  type CombineNotes,
  divideHistogram,
  type FloatHistogram,
  HistogramSum,
} from '../../model/index.ts';

/** The mean of histograms: of their sum while that does not overflow, else a running one. */
export class HistogramMean {
  #sum: HistogramSum;
  #count = 1;
  #isRunning = false;

  constructor(first: FloatHistogram) {
    this.#sum = new HistogramSum(first);
  }

  /** False where one has custom bounds and the other has not. */
  add(histogram: FloatHistogram, notes: CombineNotes): boolean {
    this.#count++;
    if (!this.#isRunning) {
      const before = this.#sum.clone();
      if (!this.#sum.add(histogram, notes)) return false;
      if (!this.#sum.overflows) return true;
      this.#isRunning = true;
      before.divide(this.#count - 1);
      this.#sum = before;
    }
    this.#sum.multiply((this.#count - 1) / this.#count);
    return this.#sum.add(divideHistogram(histogram, this.#count), notes);
  }

  result(): FloatHistogram {
    if (!this.#isRunning) this.#sum.divide(this.#count);
    return this.#sum.result();
  }
}
