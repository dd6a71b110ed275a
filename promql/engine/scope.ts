import type { Grid } from '../plan/nodes.ts';
import { SampleCounts } from './stats.ts';

/** A grid under evaluation and what is counted on it. */
export class Scope {
  readonly grid: Grid;
  readonly counts: SampleCounts;

  constructor(grid: Grid) {
    this.grid = grid;
    this.counts = new SampleCounts(grid.stepCount);
  }
}
