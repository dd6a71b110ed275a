/** Bounds of a parameter over all steps; what is said about it is said once, of the extremes. */
export type ParamBounds = { readonly min: number; readonly max: number; readonly hasNaN: boolean };

export function boundsOf(param: Float64Array): ParamBounds {
  let min = Infinity;
  let max = -Infinity;
  let hasNaN = false;
  for (const value of param) {
    if (Number.isNaN(value)) hasNaN = true;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max, hasNaN };
}
