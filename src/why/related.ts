/** Which series of a part of an expression concern which alert. */
import { type Labels, METRIC_NAME } from '../../model/index.ts';

/** Labels that an alert has from its rule and not from its series never decide. */
const ALERT_NAME = 'alertname';

/**
 * A series concerns an alert when every label that both have is equal in both; labels that rules
 * put on alerts are those that no series of the part has.
 */
export class RelatedRows {
  readonly #rows: readonly Labels[];
  /** Label names of a row, joined → those rows. Parts mostly have one such signature. */
  readonly #shapes = new Map<string, { readonly names: readonly string[]; rows: number[] }>();
  /** Signature and names in common → values → rows. */
  readonly #tables = new Map<string, Map<string, number[]>>();

  constructor(rows: readonly Labels[]) {
    this.#rows = rows;
    rows.forEach((labels, row) => {
      const names: string[] = [];
      for (const [name] of labels) {
        if (name !== METRIC_NAME && name !== ALERT_NAME) names.push(name);
      }
      const key = names.join('\0');
      const shape = this.#shapes.get(key);
      if (shape === undefined) this.#shapes.set(key, { names, rows: [row] });
      else shape.rows.push(row);
    });
  }

  /** Ascending. */
  of(alert: Labels): readonly number[] {
    const found: number[] = [];
    for (const [key, { names, rows }] of this.#shapes) {
      const common = names.filter((name) => alert.has(name));
      const tableKey = `${key}\0\0${common.join('\0')}`;
      let table = this.#tables.get(tableKey);
      if (table === undefined) {
        table = new Map();
        for (const row of rows) {
          const values = valuesOf(this.#rows[row]!, common);
          const same = table.get(values);
          if (same === undefined) table.set(values, [row]);
          else same.push(row);
        }
        this.#tables.set(tableKey, table);
      }
      found.push(...(table.get(valuesOf(alert, common)) ?? []));
    }
    return this.#shapes.size > 1 ? found.sort((a, b) => a - b) : found;
  }
}

function valuesOf(labels: Labels, names: readonly string[]): string {
  return names.map((name) => labels.get(name)).join('\0');
}
