import { formatFloat } from '../../model/index.ts';

/** Always with an exponent of at least two digits: `1e+00`, `2.5e-01`, `NaN`. */
export function exponentText(value: number): string {
  if (!Number.isFinite(value)) return formatFloat(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
