import type { QueryContext } from '../context.ts';
import { type Operator, releaseOperands } from '../operator.ts';
import { FLOAT, RowBatch } from '../row-batch.ts';

/** scalar(v): at each step the value of the only float, or NaN where there is none or several. */
export function scalarOf(child: Operator, context: QueryContext): Float64Array {
  const { stepCount } = child;
  const values = new Float64Array(stepCount);
  const counts = new Uint32Array(stepCount);
  const batch = RowBatch.for(child.labels.length, stepCount);
  while (child.next(batch)) {
    for (let i = 0; i < batch.rowCount * stepCount; i++) {
      if (batch.present[i] !== FLOAT) continue;
      counts[i % stepCount]!++;
      values[i % stepCount] = batch.values[i]!;
    }
    context.checkInterrupt();
  }
  context.touch(stepCount);
  releaseOperands([child], stepCount, 0, context);
  return values.map((value, step) => (counts[step] === 1 ? value : NaN));
}
